import { formatInstant, type Instant, parseInstant } from '@lockstep/core/instant'
import type { Client } from '@lockstep/sdk'
import { countText } from '../output/format.ts'
import type { Report } from '../output/progress.ts'
import { type DemoCustomer, demoCustomers } from './demo-customers.ts'
import { demoUsage } from './demo-usage.ts'

const at = (text: string): Instant => parseInstant(text) ?? 0

/** The month that is over, and the part of the next one that is played. */
const registered = at('2026-01-01T00:00:00Z')
const justBeforeTheEnd = at('2026-01-31T23:59:59Z')
const monthEnd = at('2026-02-01T00:00:00Z')
const now = at('2026-02-12T00:00:00Z')

/** Where they all are, if it is asked for because of taxes. */
const address = { line1: 'Invalidenstraße 43', city: 'Berlin', postalCode: '10115', country: 'DE' } as const

/**
 * Registers the example customers, each on a test clock of its own, and plays a month of usage and
 * twelve days: one invoice is final, the next one runs. Safe to repeat after it was interrupted.
 */
export async function loadDemo(
  client: Client,
  report: Report,
  { isTaxed }: { readonly isTaxed: boolean },
): Promise<string> {
  let events = 0
  const onBatch = (_: unknown, sent: number) => {
    events += sent
    report(`${countText(events)} usage events`)
  }
  const where = isTaxed ? { address } : {}
  await Promise.all(demoCustomers.map((customer) => play(client, { ...customer, ...where }, onBatch)))
  return `${demoCustomers.length} customers, ${countText(events)} usage events, one month closed`
}

async function play(
  client: Client,
  customer: DemoCustomer & { readonly address?: typeof address },
  onBatch: (receipt: unknown, sent: number) => void,
) {
  const { externalId, name, email, plan, address } = customer
  const clock = await client.testClocks.create(
    { frozenTime: formatInstant(registered), name: externalId },
    { idempotencyKey: `demo-clock-${externalId}` },
  )
  const { id } = await client.registrations.create(
    {
      ...{ externalId, name, email, plan, paymentMethod: 'pm_card_visa', testClock: clock.id },
      ...(address && { address }),
    },
    { idempotencyKey: `demo-registration-${externalId}` },
  )
  const { state, problem } = await client.registrations.ended(id)
  if (state !== 'completed')
    throw new Error(`${externalId} could not be registered: ${problem?.detail ?? state}`)

  // Nobody can have used something tomorrow: first the clock, then the usage up to it.
  await turnTo(client, clock.id, justBeforeTheEnd)
  await client.usage.send(demoUsage(customer, { start: registered, end: monthEnd }), { onBatch })
  await turnTo(client, clock.id, now)
  await client.usage.send(demoUsage(customer, { start: monthEnd, end: now }), { onBatch })
}

async function turnTo(client: Client, clock: string, to: Instant): Promise<void> {
  const { frozenTime, target } = await client.testClocks.read(clock)
  if (at(frozenTime) >= to) return
  if (target === null) await client.testClocks.advance(clock, formatInstant(to))
  await client.testClocks.ready(clock)
  return turnTo(client, clock, to)
}
