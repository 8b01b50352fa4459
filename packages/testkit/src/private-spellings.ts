/** How one IPv4 address can be written so that a URL parser or a resolver still understands it. */
function spellingsOf(address: string): string[] {
  const [a = 0, b = 0, c = 0, d = 0] = address.split('.').map(Number);
  const whole = a * 2 ** 24 + b * 2 ** 16 + c * 2 ** 8 + d;
  const hex = (value: number): string => value.toString(16);
  const octal = (value: number): string => `0${value.toString(8)}`;
  const high = hex(a * 256 + b);
  const low = hex(c * 256 + d);
  return [
    address,
    `${address}.`,
    String(whole),
    `${whole}.`,
    `0x${hex(whole)}`,
    `0X${hex(whole).toUpperCase()}`,
    `0x00000000${hex(whole)}`,
    octal(whole),
    [a, b, c, d].map(octal).join('.'),
    [a, b, c, d].map((part) => `000${octal(part)}`).join('.'),
    [a, b, c, d].map((part) => `0x${hex(part)}`).join('.'),
    `0x${hex(a)}.${octal(b)}.${c}.${d}`,
    `${a}.${b}.${c * 256 + d}`,
    `${a}.${b * 65_536 + c * 256 + d}`,
    `0x${hex(a)}.0x${hex(b * 65_536 + c * 256 + d)}`,
    address.replaceAll('.', '。'),
    address.replaceAll('.', '．'),
    address.replaceAll('.', '｡'),
    address.replace(/\d/g, (digit) => String.fromCharCode(0xff10 + Number(digit))),
    address.replace(/\d/g, (digit) => String.fromCodePoint(0x1d7ce + Number(digit))),
    address.replace(/[1-9]/g, (digit) => String.fromCharCode(0x245f + Number(digit))),
    address.replace(/\d/g, (digit) => `%3${digit}`),
    address.replaceAll('.', '%2e'),
    `${address.slice(0, 1)}\u00ad${address.slice(1)}`,
    `[::ffff:${address}]`,
    `[::FFFF:${high}:${low}]`,
    `[0:0:0:0:0:ffff:${high}:${low}]`,
    `[::${address}]`,
    `[::${high}:${low}]`,
    `[64:ff9b::${address}]`,
    `[64:ff9b:1::${high}:${low}]`,
    `[2002:${high}:${low}::]`,
    `[2002:${high}:${low}::1]`,
    `[2001:0:${high}:${low}::1]`,
    `[2001:0:4136:e378:8000:63bf:${hex(0xffff - (a * 256 + b))}:${hex(0xffff - (c * 256 + d))}]`,
    `[fe80::5efe:${address}]`,
  ];
}

const IPV4 = ['127.0.0.1', '10.1.2.3', '169.254.169.254', '192.168.0.1', '100.64.0.1'];

/** Shorter forms, other ranges, IPv6, and names that never leave the machine or its network. */
const OTHERS = [
  ...[
    '127.1',
    '127.0.1',
    '127.255.255.254',
    '0',
    '0.0.0.0',
    '00',
    '0x0',
    '0.0',
    '0x7f.1',
    '0177.1',
    '017700000001',
  ],
  ...['172.16.0.1', '172.31.255.254', '192.0.0.1', '192.0.2.1', '198.18.0.1', '198.51.100.7', '203.0.113.9'],
  ...['100.127.255.254', '100.100.100.200', '224.0.0.1', '239.255.255.250', '240.0.0.1', '255.255.255.255'],
  ...[
    '[::]',
    '[::1]',
    '[0:0:0:0:0:0:0:1]',
    '[0000::0001]',
    '[::0.0.0.1]',
    '[fc00::1]',
    '[fd00:ec2::254]',
    '[FD12::1]',
  ],
  ...[
    '[fe80::1]',
    '[febf::1]',
    '[fec0::1]',
    '[ff02::1]',
    '[ff0e::1]',
    '[100::1]',
    '[2001:db8::1]',
    '[3fff::1]',
  ],
  ...[
    '[5f00::1]',
    '[2001:10::1]',
    '[2001:20::1]',
    '[2620:4f:8000::1]',
    '[::ffff:0:127.0.0.1]',
    '[::ffff:0.0.0.0]',
  ],
  ...[
    'localhost',
    'LOCALHOST',
    'localhost.',
    'localhost..',
    'LocalHost.',
    'ｌｏｃａｌｈｏｓｔ',
    'ⓛocalhost',
    'local%68ost',
  ],
  ...[
    'loc\u00adalhost',
    'a.localhost',
    'a.b.localhost.',
    'localhost.localdomain',
    'ip6-localhost',
    'ip6-loopback',
  ],
  ...[
    'printer.local',
    'metadata.google.internal',
    'metadata',
    'host.docker.internal',
    'nas.home.arpa',
    'router',
  ],
];

/** Spellings that no URL may have at all: the parser itself refuses them, and that has to stay so. */
export const UNPARSABLE_HOSTS: readonly string[] = [
  ...[
    '[fe80::1%eth0]',
    '[fe80::1%25eth0]',
    '[::1%1]',
    '[127.0.0.1]',
    '[::1',
    '::1',
    '127.0.0.1:99999',
    '256.0.0.1',
  ],
  ...[
    '127.0.0.1.5',
    '0x7f.0.0.0.1',
    '127.0.0.08',
    '4294967296',
    '[::ffff:127.1]',
    '127.0.0.1%00',
    '127.0.0.1 .',
    '',
  ],
];

/** Hosts of a URL that lead to this machine, its network or nowhere public, however they are written (TW-17). */
export const PRIVATE_HOSTS: readonly string[] = [...new Set([...IPV4.flatMap(spellingsOf), ...OTHERS])];

/** Whole URLs whose host is not what a hasty reader takes it for. */
export const TRICK_URLS: readonly string[] = [
  'https://api.openai.com@127.0.0.1/',
  'https://api.openai.com:443@127.0.0.1/',
  'https://user:pw@10.0.0.1/',
  'https://api.openai.com%2f@127.0.0.1/',
  'https://127.0.0.1\\@api.openai.com/',
  'https://127.0.0.1\\.api.openai.com/',
  'https://127.0.0.1#@api.openai.com/',
  'https://127.0.0.1#.api.openai.com/',
  'https://127.0.0.1?.api.openai.com/',
  'https://127.0.0.1/.api.openai.com/',
  'https:127.0.0.1/',
  'https:/127.0.0.1/',
  'https:\\\\127.0.0.1\\',
  'https:////127.0.0.1/',
  'https://127.0.0.1:443/',
  'https://127.0.0.1:22/',
  'https://127.0.0.1:0443/',
  'https://[::1]:443/',
  'https://localhost:8080/',
  'HTTPS://127.0.0.1/',
  'ht\ntps://127.0.0.1/',
  ' https://127.0.0.1/ ',
  'https://127.0.\n0.1/',
  'https://127.0.0.1/v1/../v1',
];
