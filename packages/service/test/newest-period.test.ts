import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { lastPeriodInvoice, newestPeriods } from '../src/store/invoices.ts'
import { newBillingWorld } from './support/billing-world.ts'
import { shared } from './support/shared.ts'

const world = await shared(newBillingWorld())

interface PlanNode {
  readonly 'Relation Name'?: string
  readonly 'Index Name'?: string
  readonly 'Actual Rows': number
  readonly 'Actual Loops': number
  readonly Plans?: readonly PlanNode[]
}

const nodes = (plan: PlanNode): PlanNode[] => [plan, ...(plan.Plans ?? []).flatMap(nodes)]

test('the newest of four hundred periods is one row that is read, and the one that ends last', async () => {
  const { db } = world.deps
  const [ada, ben] = [
    await world.register('plain', '2026-01-10T00:00:00Z'),
    await world.register('plain', '2026-01-10T00:00:00Z'),
  ]
  await world.deliver()
  // Periods of a day each before the first one, final.
  await sql`
    insert into invoice
    select (jsonb_populate_record(i, jsonb_build_object(
      'id', i.id || '_' || n, 'status', 'paid', 'finalized_at', i.opened_at, 'dirty', false, 'sync_pending', false,
      'period_start', i.period_start - n * interval '1 day',
      'period_end', i.period_start - (n - 1) * interval '1 day'))).*
    from invoice i, generate_series(1, 400) n where i.status = 'current'`.execute(db)
  await sql`analyze invoice`.execute(db)
  const ids = [ben.subscriptionId, 'subscription_of_nobody', ada.subscriptionId]
  const { rows } = await sql<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>`
    explain (analyze, format json) ${newestPeriods(ids)}`.execute(db)
  const plan = Object.values(rows[0] ?? {})[0] as [{ Plan: PlanNode }]
  const read = nodes(plan[0].Plan).filter((node) => node['Relation Name'] === 'invoice')
  expect(read.map((node) => node['Index Name'])).toEqual(['invoice_newest'])
  for (const node of read) expect(node['Actual Rows']).toBeLessThanOrEqual(1)

  const found = await Promise.all(ids.map((id) => lastPeriodInvoice(db, id)))
  expect(found.map((row) => row && [row.subscriptionId, row.status])).toEqual([
    [ben.subscriptionId, 'current'],
    undefined,
    [ada.subscriptionId, 'current'],
  ])
})
