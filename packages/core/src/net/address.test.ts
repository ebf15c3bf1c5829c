import { describe, expect, it } from 'vitest'
import { checkAddress, isAddress, isLoopbackAddress } from './address.ts'

const refusedAddresses: [address: string, rule: string][] = [
  ['169.254.169.254', 'linkLocal'],
  ['fd00:ec2::254', 'uniqueLocal'],
  ['127.0.0.1', 'loopback'],
  ['127.255.255.254', 'loopback'],
  ['0.0.0.0', 'unspecified'],
  ['0.1.2.3', 'unspecified'],
  ['::1', 'loopback'],
  ['::', 'unspecified'],
  ['10.0.0.1', 'private'],
  ['172.16.0.1', 'private'],
  ['172.31.255.255', 'private'],
  ['192.168.1.1', 'private'],
  ['100.64.0.1', 'carrierGradeNat'],
  ['100.127.255.255', 'carrierGradeNat'],
  ['192.0.0.1', 'reserved'],
  ['192.0.2.1', 'reserved'],
  ['198.18.0.1', 'reserved'],
  ['198.19.255.255', 'reserved'],
  ['198.51.100.1', 'reserved'],
  ['203.0.113.1', 'reserved'],
  ['224.0.0.1', 'multicast'],
  ['239.255.255.255', 'multicast'],
  ['240.0.0.1', 'reserved'],
  ['255.255.255.255', 'broadcast'],
  ['fe80::1', 'linkLocal'],
  ['febf::1', 'linkLocal'],
  ['fec0::1', 'deprecatedSiteLocal'],
  ['fc00::1', 'uniqueLocal'],
  ['fdff::1', 'uniqueLocal'],
  ['ff02::1', 'multicast'],
  ['100::1', 'discard'],
  ['2001:db8::1', 'reserved'],
  ['3fff::1', 'reserved'],
  ['5f00::1', 'segmentRouting'],
  ['4000::1', 'outside 2000::/3'],
  ['::10.0.0.1', 'outside 2000::/3'],
  ['::1.1.1.1', 'outside 2000::/3'],
  ['::ffff:0:10.0.0.1', 'rfc6145'],
  ['::ffff:10.0.0.1', 'embeds 10.0.0.1, range private'],
  ['::ffff:127.0.0.1', 'embeds 127.0.0.1, range loopback'],
  ['64:ff9b::a00:1', 'embeds 10.0.0.1, range private'],
  ['64:ff9b::7f00:1', 'embeds 127.0.0.1, range loopback'],
  ['64:ff9b:1::a00:1', 'rfc6052'],
  ['2002:a00:1::', 'embeds 10.0.0.1'],
  ['2002:7f00:1::1', 'embeds 127.0.0.1'],
  ['2001:0:4136:e378:8000:63bf:f5ff:fffe', 'embeds 10.0.0.1'],
  ['fe80::1%eth0', 'an address with a zone'],
  ['2606:4700::1%1', 'an address with a zone'],
  ['', 'not an IP address'],
  ['svc.test', 'not an IP address'],
  ['0x7f.1', 'not an IP address'],
  ['0177.0.0.1', 'not an IP address'],
  ['127.1', 'not an IP address'],
  ['2130706433', 'not an IP address'],
  ['2606:4700::1]/[', 'not an IP address'],
  ['1.1.1.1:80', 'not an IP address'],
]

describe('checkAddress', () => {
  it.each(refusedAddresses)('refuses %s and says why', (address, rule) => {
    expect(() => checkAddress(address, { loopbackAllowed: false })).toThrow(
      expect.objectContaining({
        code: 'address_refused',
        message: expect.stringContaining(rule),
        details: { rule: expect.stringContaining(rule) },
      }),
    )
  })

  it.each([
    '1.1.1.1',
    '100.63.255.255',
    '100.128.0.1',
    '172.15.255.255',
    '172.32.0.1',
    '192.0.1.1',
    '223.255.255.255',
    '2606:4700::1111',
    '[2606:4700::1111]',
    '::ffff:1.1.1.1',
    '64:ff9b::101:101',
  ])('lets the public %s through', (address) => {
    expect(() => checkAddress(address, { loopbackAllowed: false })).not.toThrow()
  })

  it('lets loopback through only where it is allowed, and nothing else with it', () => {
    for (const address of ['127.0.0.1', '127.9.9.9', '::1', '[::1]', '::ffff:127.0.0.1']) {
      expect(() => checkAddress(address, { loopbackAllowed: true }), address).not.toThrow()
    }
    const others = refusedAddresses.filter(([, rule]) => !rule.endsWith('loopback'))
    for (const [address] of [...others, ['64:ff9b::7f00:1']]) {
      expect(() => checkAddress(String(address), { loopbackAllowed: true }), address).toThrow()
    }
  })
})

it('tells addresses from names', () => {
  expect(['1.1.1.1', '::1', '[::1]', '::ffff:1.2.3.4'].map(isAddress)).not.toContain(false)
  expect(['svc.test', '1.1.1', '[svc]', '', 'cafe', '[]'].map(isAddress)).not.toContain(true)
})

it('tells loopback addresses from others', () => {
  expect(
    ['127.0.0.1', '127.1.2.3', '::1', '[::1]', '::ffff:7f00:1'].map(isLoopbackAddress),
  ).not.toContain(false)
  expect(
    ['0.0.0.0', '::', '128.0.0.1', 'localhost', '10.0.0.1'].map(isLoopbackAddress),
  ).not.toContain(true)
})
