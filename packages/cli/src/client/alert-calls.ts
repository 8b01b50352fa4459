import * as alerts from '@tallygate/contract/api/alerts';
import { z } from 'zod';
import type { AdminRequest } from './transport.ts';

type Query = Record<string, string | string[]>;
type Body<S extends z.ZodType> = z.input<S>;
/** A test of a channel waits for the receiver. */
const RECEIVER_TIMEOUT_MS = 60_000;

/** Alerts, typed. */
export interface AlertCalls {
  rules(): Promise<z.infer<typeof alerts.alertRuleListResponse>>;
  createRule(body: Body<typeof alerts.alertRuleCreateRequest>): Promise<alerts.AlertRuleView>;
  updateRule(id: string, body: Body<typeof alerts.alertRuleUpdateRequest>): Promise<alerts.AlertRuleView>;
  removeRule(id: string): Promise<void>;
  rehearseRule(body: Body<typeof alerts.alertRehearsalRequest>): Promise<alerts.AlertRehearsal>;
  events(query: Query): Promise<z.infer<typeof alerts.alertEventListResponse>>;
  evaluate(): Promise<z.infer<typeof alerts.alertEvaluateResponse>>;
  channels(): Promise<z.infer<typeof alerts.channelListResponse>>;
  createChannel(body: Body<typeof alerts.channelCreateRequest>): Promise<alerts.ChannelCreated>;
  updateChannel(id: string, body: Body<typeof alerts.channelUpdateRequest>): Promise<alerts.ChannelView>;
  testChannel(id: string): Promise<alerts.ChannelTest>;
  removeChannel(id: string): Promise<void>;
  deliveries(query: Query): Promise<z.infer<typeof alerts.deliveryListResponse>>;
  redeliver(id: string): Promise<alerts.DeliveryView>;
}

export function alertCalls(call: <T>(request: AdminRequest, schema: z.ZodType<T>) => Promise<T>): AlertCalls {
  const at = (path: string): string => `/api/alerts/${path}`;
  const one = (kind: string, id: string): string => at(`${kind}/${encodeURIComponent(id)}`);
  const remove = async (path: string): Promise<void> =>
    void (await call({ method: 'DELETE', path }, z.unknown()));
  return {
    rules: () => call({ method: 'GET', path: at('rules') }, alerts.alertRuleListResponse),
    createRule: (body) => call({ method: 'POST', path: at('rules'), body }, alerts.alertRuleResponse),
    updateRule: (id, body) =>
      call({ method: 'PATCH', path: one('rules', id), body }, alerts.alertRuleResponse),
    removeRule: (id) => remove(one('rules', id)),
    rehearseRule: (body) =>
      call({ method: 'POST', path: at('rules/rehearse'), body }, alerts.alertRehearsalResponse),
    events: (query) => call({ method: 'GET', path: at('events'), query }, alerts.alertEventListResponse),
    evaluate: () => call({ method: 'POST', path: at('evaluate') }, alerts.alertEvaluateResponse),
    channels: () => call({ method: 'GET', path: at('channels') }, alerts.channelListResponse),
    createChannel: (body) =>
      call({ method: 'POST', path: at('channels'), body }, alerts.channelCreatedResponse),
    updateChannel: (id, body) =>
      call({ method: 'PATCH', path: one('channels', id), body }, alerts.channelResponse),
    testChannel: (id) =>
      call(
        { method: 'POST', path: `${one('channels', id)}/test`, timeoutMs: RECEIVER_TIMEOUT_MS },
        alerts.channelTestResponse,
      ),
    removeChannel: (id) => remove(one('channels', id)),
    deliveries: (query) =>
      call({ method: 'GET', path: at('deliveries'), query }, alerts.deliveryListResponse),
    redeliver: (id) =>
      call({ method: 'POST', path: `${one('deliveries', id)}/redeliver` }, alerts.deliveryResponse),
  };
}
