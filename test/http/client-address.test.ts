import { describe, expect, test } from 'vitest'
import { clientAddressFinder, type TrustedProxies } from '../../src/http/client-address.ts'

const from = (trusted: TrustedProxies, remoteAddress?: string, forwardedFor?: string) =>
  clientAddressFinder(trusted)({ remoteAddress, forwardedFor })

describe('without trust, the other end of the connection is the client', () => {
  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['::1', '0:0:0:0::/64'],
    [undefined, 'unknown'],
    ['not an address', 'unknown'],
  ])('%s: %s', (remote, client) => {
    expect(from('off', remote, '198.51.100.7')).toBe(client)
  })
})

describe('behind so many proxies', () => {
  test.each([
    [1, '198.51.100.7', '198.51.100.7'],
    [1, 'spoofed, 203.0.113.9, 198.51.100.7', '198.51.100.7'],
    [2, '203.0.113.9, 198.51.100.7', '203.0.113.9'],
    [2, '198.51.100.7', '198.51.100.7'],
    [3, '8.8.8.8, 203.0.113.9, 198.51.100.7', '8.8.8.8'],
    [2, 'nonsense, 198.51.100.7', '198.51.100.7'],
    [1, '', '192.0.2.1'],
    [1, undefined, '192.0.2.1'],
    [1, ',,,', '192.0.2.1'],
    [1, '2001:db8::1', '2001:db8:0:0::/64'],
  ])('%i: %j comes from %s', (proxies, header, client) => {
    expect(from(proxies, '192.0.2.1', header)).toBe(client)
  })
})

describe('an address is understood as proxies write it', () => {
  test.each([
    ['198.51.100.7:4711', '198.51.100.7'],
    [' 198.51.100.7 ', '198.51.100.7'],
    ['"198.51.100.7:4711"', '198.51.100.7'],
    ['[2001:db8:1:2::9]', '2001:db8:1:2::/64'],
    ['[2001:db8:1:2::9]:4711', '2001:db8:1:2::/64'],
    ['"[2001:db8:1:2::9]:4711"', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
    ['::ffff:198.51.100.7', '198.51.100.7'],
    ['[::ffff:198.51.100.7]:4711', '198.51.100.7'],
  ])('%s: %s', (written, client) => {
    expect(from(1, '192.0.2.1', `1.1.1.1, ${written}`)).toBe(client)
    expect(from(['192.0.2.0/24'], '192.0.2.1', `1.1.1.1, ${written}`)).toBe(client)
  })

  test.each([
    'unknown',
    '_hidden',
    '"_hidden"',
    '',
    '7',
    '0x7f000001',
    '010.0.0.1',
    '1.2.3',
    '[',
    '198.51.100.7:',
  ])('%j names nobody, and what stands before it is not believed', (written) => {
    expect(from(3, '192.0.2.1', `1.1.1.1, ${written}, 198.51.100.7`)).toBe('198.51.100.7')
    expect(from(1, '192.0.2.1', written)).toBe('192.0.2.1')
  })
})

describe('the header Forwarded, where proxies write that one', () => {
  test.each([
    [1, 'for=198.51.100.7', '198.51.100.7'],
    [1, 'for="198.51.100.7:4711";proto=https;by=192.0.2.1', '198.51.100.7'],
    [1, 'proto=https; For="[2001:db8:1:2::9]:4711"', '2001:db8:1:2::/64'],
    [1, 'for=1.1.1.1, for=198.51.100.7;host=api.example.com', '198.51.100.7'],
    [2, 'for=1.1.1.1, for=203.0.113.9, for=198.51.100.7', '203.0.113.9'],
    [2, 'for=1.1.1.1, for=unknown, for=198.51.100.7', '198.51.100.7'],
    [1, 'by=198.51.100.7', '192.0.2.1'],
    [1, 'host="x;for=1.1.1.1"', '192.0.2.1'],
    [1, 'host="x;for=1.1.1.1;y";for=198.51.100.7', '198.51.100.7'],
    [1, 'for=198.51.100.7;host="x,for=1.1.1.1;y"', '192.0.2.1'],
    [1, 'for=198.51.100.7;host="x\\",for=1.1.1.1;y=\\""', '192.0.2.1'],
    [1, '198.51.100.7', '192.0.2.1'],
  ])('%i: %j comes from %s', (proxies, forwardedFor, client) => {
    const find = clientAddressFinder(proxies, 'forwarded')
    expect(find({ remoteAddress: '192.0.2.1', forwardedFor })).toBe(client)
  })
})

describe('behind proxies with these addresses', () => {
  const trusted = ['10.0.0.0/8', '192.0.2.1', 'fd00::/8']
  test.each([
    ['192.0.2.1', '198.51.100.7', '198.51.100.7'],
    ['::ffff:192.0.2.1', '198.51.100.7', '198.51.100.7'],
    ['10.1.2.3', '198.51.100.7, 10.9.9.9', '198.51.100.7'],
    ['10.1.2.3', '1.1.1.1, 198.51.100.7, 10.9.9.9', '198.51.100.7'],
    ['fd12::1', '198.51.100.7', '198.51.100.7'],
    ['198.51.100.9', '1.1.1.1', '198.51.100.9'],
    ['10.1.2.3', undefined, '10.1.2.3'],
  ])('%s with %j comes from %s', (remote, header, client) => {
    expect(from(trusted, remote, header)).toBe(client)
  })
})

test('an endless header is read from its end alone', () => {
  const header = `${'1.1.1.1, '.repeat(100_000)}198.51.100.7`
  expect(from(1, '192.0.2.1', header)).toBe('198.51.100.7')
})
