import type { Table } from '../store/table.ts'
import type { World } from '../world.ts'

export interface Row {
  readonly id: string
  readonly object: string
}

type Tables = ReturnType<World['tables']>
/** A kind of object: the name of its table. */
export type Kind = Exclude<keyof Tables, 'alarms' | 'deliveries'>

/** The simulator's own book-keeping, which Stripe does not show either. */
const HIDDEN = new Set<string>(['alarms', 'deliveries'])

export function kindsOf(world: World): Kind[] {
  return (Object.keys(world.tables()) as Kind[]).filter((name) => !HIDDEN.has(name))
}

export function tableOf(world: World, kind: Kind): Table<Row, string> {
  return world.tables()[kind] as unknown as Table<Row, string>
}

/** The kind that an id belongs to; undefined when it names nothing that is there. */
export function findKind(world: World, id: string): Kind | undefined {
  if (id.length > 100 || !id.includes('_')) return undefined
  return kindsOf(world).find((kind) => tableOf(world, kind).get(id) !== undefined)
}

/** `subscriptionItems` is "Subscription items". */
export function titleOf(kind: Kind): string {
  const words = kind.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/** What belongs to an object, by its `object`: tables and the index that leads there. */
export const belongings: Record<string, readonly (readonly [Kind, string])[]> = {
  product: [['prices', 'product']],
  customer: [
    ['subscriptions', 'customer'],
    ['invoices', 'customer'],
    ['invoiceItems', 'customer'],
    ['paymentMethods', 'customer'],
    ['paymentIntents', 'customer'],
    ['setupIntents', 'customer'],
    ['charges', 'customer'],
    ['creditNotes', 'customer'],
    ['discounts', 'customer'],
    ['balanceTransactions', 'customer'],
    ['schedules', 'customer'],
  ],
  subscription: [
    ['subscriptionItems', 'subscription'],
    ['invoices', 'subscription'],
  ],
  invoice: [
    ['invoiceItems', 'invoice'],
    ['invoicePayments', 'invoice'],
    ['creditNotes', 'invoice'],
  ],
  payment_intent: [['charges', 'payment_intent']],
  charge: [['refunds', 'charge']],
  'test_helpers.test_clock': [
    ['customers', 'clock'],
    ['subscriptions', 'clock'],
  ],
}
