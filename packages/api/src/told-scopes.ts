import type { OutgoingEventType } from '@lockstep/core/outgoing-event'
import { readingScopes, type Scope } from './scopes.ts'

type Noun<Type> = Type extends `${infer N}.${string}` ? N : never

/** With which scope the object that an event carries is read: the one of the route that shows it. */
const readWith: Readonly<Record<Noun<OutgoingEventType>, Scope>> = {
  customer: 'customers:read',
  spend_limit: 'customers:read',
  registration: 'subscriptions:read',
  subscription: 'subscriptions:read',
  plan_change: 'subscriptions:read',
  invoice: 'invoices:read',
  refund: 'invoices:read',
  credit_note: 'invoices:read',
  dispute: 'invoices:read',
}

/**
 * What a key has to hold beside its own scope before it has these events sent somewhere: who has something
 * told must be able to read it. Of all events (`null`), also those of a later version: whatever reads.
 */
export function scopesToTell(types: readonly OutgoingEventType[] | null): Scope[] {
  if (types === null) return [...readingScopes]
  return [
    ...new Set(types.map((type) => readWith[type.slice(0, type.indexOf('.')) as Noun<OutgoingEventType>])),
  ]
}
