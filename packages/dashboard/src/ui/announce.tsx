import { IconX } from '@tabler/icons-react';
import { createContext, type ReactNode, useCallback, useContext, useEffect, useRef, useState } from 'react';
import classes from './announce.module.css';

interface Message {
  id: number;
  text: string;
  tone: 'plain' | 'bad';
}
type Announce = (text: string, tone?: Message['tone']) => void;

const Context = createContext<Announce>(() => undefined);
const SHOWN_MS = 7000;
const MOST = 3;

/** Says in a corner of the page what has just happened; read out politely, gone after a few seconds. */
export const useAnnounce = (): Announce => useContext(Context);

export function AnnounceProvider({ children }: { children: ReactNode }) {
  const [messages, setMessages] = useState<Message[]>([]);
  const next = useRef(0);
  const announce = useCallback<Announce>((text, tone = 'plain') => {
    next.current += 1;
    const message = { id: next.current, text, tone };
    setMessages((before) => [...before, message].slice(-MOST));
  }, []);
  const dismiss = useCallback(
    (id: number) => setMessages((before) => before.filter((one) => one.id !== id)),
    [],
  );
  return (
    <Context value={announce}>
      {children}
      <div className={classes.stack} role="status" aria-live="polite">
        {messages.map((message) => (
          <Toast key={message.id} message={message} onDismiss={dismiss} />
        ))}
      </div>
    </Context>
  );
}

function Toast({ message, onDismiss }: { message: Message; onDismiss: (id: number) => void }) {
  const { id } = message;
  useEffect(() => {
    const timer = setTimeout(() => onDismiss(id), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [id, onDismiss]);
  return (
    <div className={classes.toast} data-tone={message.tone}>
      <span>{message.text}</span>
      <button type="button" onClick={() => onDismiss(id)} aria-label="Dismiss">
        <IconX size={15} aria-hidden />
      </button>
    </div>
  );
}
