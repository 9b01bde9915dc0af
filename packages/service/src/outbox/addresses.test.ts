import { expect, test } from 'vitest'
import { isNetwork, newGuard } from './addresses.ts'

const open = newGuard([])

/** The first, the last and a well-known address of what RFC 6890 and its successors set apart. */
test.each([
  ...['0.0.0.0', '0.255.255.255', '10.0.0.0', '10.255.255.255', '100.64.0.1', '100.127.255.255'],
  ...['127.0.0.1', '127.255.255.255', '169.254.0.1', '169.254.169.254', '169.254.170.2'],
  ...['172.16.0.1', '172.31.255.255', '192.0.0.170', '192.0.2.1', '192.88.99.1', '192.168.0.1'],
  ...['192.168.255.255', '198.18.0.1', '198.19.255.255', '198.51.100.7', '203.0.113.9', '224.0.0.1'],
  ...['239.255.255.255', '240.0.0.1', '255.255.255.255'],
  ...['::', '::1', '::127.0.0.1', '::ffff:127.0.0.1', '::ffff:10.0.0.1', '::ffff:8.8.8.8', '64:ff9b::7f00:1'],
  ...['64:ff9b:1::1', '100::1', '2001::1', '2001:db8::1', '2002:7f00:1::', '2002:a9fe:a9fe::', '3fff::1'],
  ...['fc00::1', 'fd00:ec2::254', 'fe80::1', 'fe80::1%eth0', 'fec0::1', 'ff02::1'],
  ...['', 'localhost', '0x7f.1', '2130706433', '127.1', '10.0.0.0/8', '[::1]'],
])('%s is never sent to', (address) => {
  expect(open.isAllowed(address)).toBe(false)
})

test.each([
  '1.1.1.1',
  '8.8.8.8',
  '9.255.255.255',
  '11.0.0.0',
  '100.63.255.255',
  '100.128.0.0',
  '172.15.255.255',
])('%s is of the open internet', (address) => {
  expect(open.isAllowed(address)).toBe(true)
})

test.each(['172.32.0.0', '192.167.255.255', '223.255.255.255', '2606:4700:4700::1111', '2a00:1450:4001::1'])(
  '%s is, too',
  (address) => {
    expect(open.isAllowed(address)).toBe(true)
  },
)

test('a network that was named may be reached, and no other', () => {
  const guard = newGuard(['10.1.0.0/16', '192.168.7.7', 'fd00:1::/32'])
  expect(['10.1.0.1', '10.1.255.255', '192.168.7.7', 'fd00:1::5', '8.8.8.8'].every(guard.isAllowed)).toBe(
    true,
  )
  expect(['10.2.0.1', '192.168.7.8', 'fd00:2::5', '127.0.0.1', '::1'].some(guard.isAllowed)).toBe(false)
})

test('what a network looks like', () => {
  expect(['10.1.0.0/16', '192.168.7.7', 'fd00::/8', '::1', '0.0.0.0/0'].every(isNetwork)).toBe(true)
  expect(
    ['10.1.0.0/33', '10.1/16', 'fd00::/129', 'host', '10.1.0.0/', '10.0.0.0/8/8', ''].some(isNetwork),
  ).toBe(false)
})
