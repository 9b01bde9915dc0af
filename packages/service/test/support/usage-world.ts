import type { Instant } from '@lockstep/core/instant'
import { sql } from 'kysely'
import { newDatabase } from '../../../../test/support/database.ts'
import { newId } from '../../src/ids.ts'
import { sqlTime } from '../../src/store/time.ts'
import { usageTotals } from '../../src/store/usage.ts'
import { openUsage, type UsageDeps } from '../../src/usage/usage.ts'

export const at = (text: string): Instant => Date.parse(text) / 1000

export interface EventInput {
  readonly id?: string
  readonly source?: string
  readonly type?: string
  readonly subject?: string
  readonly time?: string
  /** null: the event says none. */
  readonly quantity?: unknown
  readonly data?: Record<string, unknown>
}

/** Customers and meters in a database of its own, and the real way in for usage. */
export async function newUsageWorld({ customers = ['ada', 'ben'] }: { customers?: readonly string[] } = {}) {
  const database = await newDatabase()
  const { db } = database
  const wall = { time: at('2026-03-31T12:00:00Z') }
  const clock = { now: () => wall.time }
  // As long as the machine needs: it is not the time that is tested.
  const patience = { patienceMs: 600_000, queue: { patienceSeconds: 600 } }
  const open = (wanted: Partial<UsageDeps> = {}) =>
    openUsage({ db, databaseUrl: database.url, clock, ...patience, ...wanted })
  const usage = open()
  let counter = 0

  const customerIds = new Map<string, string>()
  const idOf = (externalId: string): string => {
    const id = customerIds.get(externalId)
    if (id === undefined) throw new Error(`There is no ${externalId}.`)
    return id
  }
  for (const externalId of customers) await addCustomer(externalId)
  for (const aggregation of ['count', 'sum', 'max', 'last'] as const) {
    await db
      .insertInto('meter')
      .values({ key: aggregation, name: aggregation, unitLabel: 'unit', aggregation, createdAt: sqlTime(0) })
      .execute()
  }

  async function addCustomer(externalId: string, testClockId: string | null = null): Promise<string> {
    const id = newId('customer')
    await db
      .insertInto('customer')
      .values({ id, externalId, testClockId, createdAt: sqlTime(0) })
      .execute()
    customerIds.set(externalId, id)
    return id
  }

  return {
    ...database,
    wall,
    clock,
    usage,
    idOf,
    addCustomer,
    /** Another process, as far as usage is concerned. */
    open,

    /** An event, new unless `input` names an id. */
    event({ data, quantity = '1', ...input }: EventInput = {}) {
      counter += 1
      return {
        specversion: '1.0',
        id: `event-${counter}`,
        source: 'test',
        type: 'sum',
        subject: 'ada',
        time: '2026-03-31T10:15:00Z',
        data: { ...data, ...(quantity === null ? {} : { quantity }) },
        ...input,
      }
    },

    totals: async (externalId: string, start: string, end: string) =>
      usageTotals(db, idOf(externalId), { start: at(start), end: at(end) }),

    /** What the tables hold, each counted for itself. */
    async counts() {
      const { rows } = await sql<Record<'identities' | 'events' | 'counted', bigint> & { same: boolean }>`
        select (select count(*) from usage_identity) as identities, (select count(*) from usage_event) as events,
          (select coalesce(sum(count), 0)::int8 from usage_rollup) as counted,
          (select coalesce(sum(quantity), 0) from usage_event) =
            (select coalesce(sum(sum), 0) from usage_rollup) as same`.execute(db)
      return rows[0]
    },

    async close() {
      await usage.close()
      await database.drop()
    },
  }
}
