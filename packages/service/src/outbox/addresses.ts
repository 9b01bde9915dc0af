import { BlockList, isIPv4, isIPv6 } from 'node:net'

/**
 * IPv4 networks that are not the open internet: https://www.iana.org/assignments/iana-ipv4-special-registry.
 * 169.254.169.254 is where clouds keep their machines' credentials.
 */
const special4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
]

/** Of IPv6 only this is routed between networks (https://www.iana.org/assignments/ipv6-address-space) … */
const global6 = ['2000::/3']

/** … and of it not what stands for something else: Teredo and its neighbours, 6to4, documentation. */
const special6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20']

/** `10.0.0.0/8`, `fd00::/8`, or one address. */
export function isNetwork(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/')
  const most = isIPv4(address) ? 32 : isIPv6(address) ? 128 : -1
  if (most < 0 || more.length > 0) return false
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most)
}

/** Which addresses webhooks may be sent to. */
export interface Guard {
  isAllowed(address: string): boolean
}

/** The open internet, and the networks that whoever operates the service named. */
export function newGuard(networks: readonly string[]): Guard {
  const named = listOf(networks)
  const refused4 = listOf(special4)
  const allowed6 = listOf(global6)
  const refused6 = listOf(special6)
  return {
    isAllowed(address) {
      if (isIPv4(address)) return named.v4.check(address, 'ipv4') || !refused4.v4.check(address, 'ipv4')
      // `fe80::1%eth0` and the like: with a zone it is none that the internet routes.
      if (!isIPv6(address) || address.includes('%')) return false
      if (named.v6.check(address, 'ipv6')) return true
      return allowed6.v6.check(address, 'ipv6') && !refused6.v6.check(address, 'ipv6')
    },
  }
}

/** Two lists, because in one an IPv4 address would count as its IPv6 notation, too. */
function listOf(networks: readonly string[]): { readonly v4: BlockList; readonly v6: BlockList } {
  const lists = { v4: new BlockList(), v6: new BlockList() }
  for (const network of networks) {
    const [address = '', bits] = network.split('/')
    if (isIPv4(address)) lists.v4.addSubnet(address, Number(bits ?? 32), 'ipv4')
    else lists.v6.addSubnet(address, Number(bits ?? 128), 'ipv6')
  }
  return lists
}
