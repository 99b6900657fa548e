import { BlockList, isIP } from 'node:net'
import type { RequestFacts } from '../facts.ts'
import { type ConditionKind, textReasons } from './condition.ts'

/** An address of the request against single addresses and CIDR ranges, IPv4 and IPv6. */
export function addresses(name: string, addressOf: (facts: RequestFacts) => string): ConditionKind {
  return {
    mistake: (value) => (parseRange(value) ? undefined : `\`${value}\` is no IP address or CIDR range`),
    compile(values) {
      // a list for each family: in one list `::/0` would hold every IPv4 address too, which to Envoy it does not
      const lists = { ipv4: new BlockList(), ipv6: new BlockList() }
      for (const value of values) {
        const range = parseRange(value)
        if (range) lists[range.family].addSubnet(range.address, range.prefix, range.family)
      }
      return (facts) => {
        const address = addressOf(facts)
        const version = isIP(address)
        const family = version === 6 ? 'ipv6' : 'ipv4'
        return version !== 0 && lists[family].check(address, family)
      }
    },
    ...textReasons(() => name, addressOf),
  }
}

function parseRange(value: string) {
  const [address = '', bits, ...more] = value.split('/')
  const version = isIP(address)
  if (version === 0 || more.length > 0 || address.includes('%')) return undefined
  const longest = version === 6 ? 128 : 32
  if (bits !== undefined && !/^\d{1,3}$/.test(bits)) return undefined
  const prefix = bits === undefined ? longest : Number(bits)
  if (prefix > longest) return undefined
  return { address, prefix, family: version === 6 ? ('ipv6' as const) : ('ipv4' as const) }
}
