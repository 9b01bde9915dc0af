import type { ObjectKey } from '../store/provider-objects.ts'
import type { Observed } from '../workflow/observe.ts'
import { type Group, shownBy } from './group.ts'

type Fields = Readonly<Record<string, unknown>>
type Reference = readonly [type: Observed['type'], named: (object: Fields) => unknown]

/**
 * What an object names that has to be known before it: kinds that come earlier in the order of a round. A reference to
 * more than one is not followed but for the prices of a subscription.
 */
const references: Partial<Readonly<Record<Observed['type'], readonly Reference[]>>> = {
  price: [['product', ({ product }) => product]],
  promotion_code: [['coupon', ({ promotion }) => fields(promotion).coupon]],
  customer: [['test_clock', ({ test_clock }) => test_clock]],
  subscription: [
    ['customer', ({ customer }) => customer],
    ['price', ({ items }) => listed(items).map(({ price }) => price)],
    ['product', ({ items }) => listed(items).map(({ price }) => fields(price).product)],
  ],
  subscription_schedule: [['subscription', ({ subscription }) => subscription]],
  invoiceitem: [['subscription', subscriptionOf]],
  invoice: [
    ['customer', ({ customer }) => customer],
    ['subscription', subscriptionOf],
  ],
  credit_note: [
    ['customer', ({ customer }) => customer],
    ['invoice', ({ invoice }) => invoice],
  ],
}

/** What the newest event of these objects says that they belong to. Another API version may name it elsewhere, and then names nothing. */
export function belongTo(groups: readonly Group[]): ObjectKey[] {
  const keys = groups.flatMap((group) => {
    const object = shownBy(group)?.object
    if (object === undefined) return []
    return (references[group.type] ?? []).flatMap(([type, named]) => {
      const value = named(fields(object))
      return (Array.isArray(value) ? value : [value]).flatMap((one) => {
        const id = typeof one === 'string' ? one : fields(one).id
        return typeof id === 'string' && id !== '' ? [{ type, id }] : []
      })
    })
  })
  return [...new Map(keys.map((key) => [`${key.type} ${key.id}`, key])).values()]
}

function subscriptionOf({ parent }: Fields): unknown {
  return fields(fields(parent).subscription_details).subscription
}

function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {}
}

function listed(list: unknown): Fields[] {
  const { data } = fields(list)
  return Array.isArray(data) ? data.map(fields) : []
}
