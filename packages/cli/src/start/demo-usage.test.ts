import { parseUsageEvent } from '@lockstep/core/usage-event'
import { describe, expect, test } from 'vitest'
import { type DemoCustomer, demoCustomers } from './demo-customers.ts'
import { demoUsage } from './demo-usage.ts'

const at = (text: string) => Date.parse(text) / 1000
const january = { start: at('2026-01-01T00:00:00Z'), end: at('2026-02-01T00:00:00Z') }
const metered = demoCustomers.filter(({ usage }) => usage.length > 0)

describe.each(metered.map((customer): [string, DemoCustomer] => [customer.externalId, customer]))(
  '%s',
  (_, customer) => {
    const events = [...demoUsage(customer, january)].map((event) => ({ specversion: '1.0', ...event }))

    test('sends some hundreds to some thousands of events, none twice, all of this month', () => {
      expect(events.length).toBeGreaterThan(300)
      expect(events.length).toBeLessThan(5000)
      expect(new Set(events.map(({ id }) => id)).size).toBe(events.length)
      for (const { time } of events) expect(String(time)).toMatch(/^2026-01-/)
    })

    test('sends events that are valid, the same every time', () => {
      for (const event of events) expect(parseUsageEvent(event, '#').faults).toEqual([])
      expect([...demoUsage(customer, january)].map((event) => ({ specversion: '1.0', ...event }))).toEqual(
        events,
      )
    })
  },
)

test('two periods that touch are one', () => {
  const [customer] = metered
  if (!customer) throw new Error('somebody uses something')
  const halves = [
    { start: january.start, end: at('2026-01-16T00:00:00Z') },
    { start: at('2026-01-16T00:00:00Z'), end: january.end },
  ]
  const ids = (events: Iterable<{ id: string }>) => [...events].map(({ id }) => id).sort()
  expect(ids(halves.flatMap((half) => [...demoUsage(customer, half)]))).toEqual(
    ids(demoUsage(customer, january)),
  )
})
