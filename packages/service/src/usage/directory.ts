import type { Instant } from '@lockstep/core/instant'
import type { Meter } from '@lockstep/core/meter'
import type { Clock } from '../clock.ts'
import type { Db } from '../postgres/connect.ts'
import { isOneOf } from '../postgres/given.ts'
import { METER_COLUMNS, meterOf } from '../store/meters.ts'
import { stripeOf } from './gate.ts'
import { newMemory } from './memory.ts'

/** What ingest knows of a customer. None of it ever changes, so it may be remembered. */
export interface UsageCustomer {
  readonly id: string
  readonly stripe: number
  readonly testClockId: string | null
}

/** Remembers who and what events name: no query for an event whose customer and meter are known. */
export interface Directory {
  customer(externalId: string): UsageCustomer | undefined
  meter(key: string): Meter | undefined
  /** The customer's time as far as it is known: it may be later by now, never earlier. */
  now(customer: UsageCustomer): Instant | undefined
  /** Looks up who and what is not known yet, each kind in one query. What does not exist is not remembered. */
  learn(externalIds: ReadonlySet<string>, meterKeys: ReadonlySet<string>): Promise<void>
  /** Reads these test clocks again. */
  readClocks(testClockIds: ReadonlySet<string>): Promise<void>
}

/** Far more than all requests of one moment can name. */
const MAX_CUSTOMERS = 200_000

export function newDirectory({ db, clock }: { db: Db; clock: Clock }): Directory {
  const customers = newMemory<UsageCustomer>(MAX_CUSTOMERS)
  const meters = new Map<string, Meter>()
  // Test clocks only go forward, so what was read once is a lower bound.
  const clocks = new Map<string, Instant>()

  const learnCustomers = async (externalIds: ReadonlySet<string>) => {
    if (externalIds.size === 0) return
    const found = await db
      .selectFrom('customer')
      .select(['id', 'externalId', 'testClockId'])
      .where(isOneOf('external_id', [...externalIds]))
      .execute()
    for (const { id, externalId, testClockId } of found) {
      customers.set(externalId, { id, stripe: stripeOf(id), testClockId })
    }
  }
  const learnMeters = async (keys: ReadonlySet<string>) => {
    if (keys.size === 0) return
    const found = await db
      .selectFrom('meter')
      .select(METER_COLUMNS)
      .where(isOneOf('key', [...keys]))
      .execute()
    for (const row of found) meters.set(row.key, meterOf(row))
  }

  return {
    customer: (externalId) => customers.get(externalId),
    meter: (key) => meters.get(key),
    now: ({ testClockId }) => (testClockId === null ? clock.now() : clocks.get(testClockId)),
    learn: async (externalIds, meterKeys) => {
      await Promise.all([learnCustomers(externalIds), learnMeters(meterKeys)])
    },
    readClocks: async (testClockIds) => {
      const found = await db
        .selectFrom('testClock')
        .select(['id', 'frozenAt'])
        .where(isOneOf('id', [...testClockIds]))
        .execute()
      for (const { id, frozenAt } of found) clocks.set(id, Math.max(frozenAt, clocks.get(id) ?? frozenAt))
    },
  }
}
