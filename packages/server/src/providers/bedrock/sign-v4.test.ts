import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../kernel/secret.ts';
import { createV4Signer, regionOf, signV4 } from './sign-v4.ts';

/** The keys and the instant of the test suite that AWS publishes. */
const KEYS = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: new Secret('wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'),
  sessionToken: null,
};
const INSTANT = '20150830T123600Z';
const hashOf = (body: string): string => createHash('sha256').update(body).digest('hex');
const HOST: [string, string] = ['Host', 'example.amazonaws.com'];
const DATE: [string, string] = ['X-Amz-Date', INSTANT];

describe('Signature Version 4 against the published vectors (X-04)', () => {
  it.each([
    {
      name: 'get-vanilla',
      method: 'GET',
      signature: '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31',
    },
    {
      name: 'get-vanilla-query-order-key-case',
      method: 'GET',
      path: '/?Param2=value2&Param1=value1',
      signature: 'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
    },
    {
      name: 'post-vanilla',
      method: 'POST',
      signature: '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b',
    },
    {
      name: 'post-x-www-form-urlencoded',
      method: 'POST',
      headers: [['Content-Type', 'application/x-www-form-urlencoded']] as [string, string][],
      body: 'Param1=value1',
      signature: 'ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a',
    },
  ])('$name', ({ method, path = '/', headers = [], body = '', signature }) => {
    const request = { method, path, headers: [...headers, HOST, DATE], payloadHash: hashOf(body) };
    const scope = { region: 'us-east-1', service: 'service', instant: INSTANT };
    const signed = signV4(request, KEYS, scope);
    expect(signed.authorization).toContain('Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request');
    expect(signed.authorization.split('Signature=')[1]).toBe(signature);
  });

  it('the example of the documentation', () => {
    const signed = signV4(
      {
        method: 'GET',
        path: '/?Action=ListUsers&Version=2010-05-08',
        headers: [
          ['content-type', 'application/x-www-form-urlencoded; charset=utf-8'],
          ['host', 'iam.amazonaws.com'],
          ['x-amz-date', INSTANT],
        ],
        payloadHash: hashOf(''),
      },
      KEYS,
      { region: 'us-east-1', service: 'iam', instant: INSTANT },
    );
    expect(signed.authorization).toContain(
      'SignedHeaders=content-type;host;x-amz-date, Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7',
    );
  });
});

describe('signing a request', () => {
  const sign = createV4Signer({ ...KEYS, sessionToken: new Secret('temporary') }, 'bedrock');
  const request = {
    method: 'POST',
    path: '/model/us.anthropic.claude-v1%3A0/invoke',
    headers: ['content-type', 'application/json'],
    body: Buffer.from('{}'),
    origin: 'https://bedrock-runtime.eu-west-1.amazonaws.com',
  };

  it('adds date, content hash, token and signature, in the region of the host', () => {
    const headers = sign(request, Date.UTC(2026, 10, 26, 12, 0, 5, 678));
    expect(headers.slice(0, 2)).toEqual(request.headers);
    const value = (name: string): string => headers[headers.indexOf(name) + 1] ?? '';
    expect(value('x-amz-date')).toBe('20261126T120005Z');
    expect(value('x-amz-content-sha256')).toBe(hashOf('{}'));
    expect(value('x-amz-security-token')).toBe('temporary');
    expect(value('authorization')).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/20261126\/eu-west-1\/bedrock\/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token, Signature=[\da-f]{64}$/,
    );
    expect(JSON.stringify(headers)).not.toContain('wJalr');
  });

  it('encodes what is encoded in the path once more', () => {
    const { canonicalRequest } = signV4({ ...request, headers: [HOST], payloadHash: 'x' }, KEYS, {
      region: 'r',
      service: 's',
      instant: INSTANT,
    });
    expect(canonicalRequest.split('\n')[1]).toBe('/model/us.anthropic.claude-v1%253A0/invoke');
  });

  it.each([
    ['bedrock-runtime.us-east-1.amazonaws.com', 'us-east-1'],
    ['bedrock-runtime.us-gov-west-1.amazonaws.com', 'us-gov-west-1'],
    ['bedrock-runtime.cn-north-1.amazonaws.com.cn', 'cn-north-1'],
    ['vpce-1-2.bedrock-runtime.eu-central-1.vpce.amazonaws.com', 'eu-central-1'],
    ['proxy.example.com', 'us-east-1'],
  ])('the region of %s is %s', (host, region) => expect(regionOf(host)).toBe(region));
});
