import { catalogDocumentOf } from '@lockstep/api/catalog-document'
import type Stripe from 'stripe'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import cloudHost from '../../examples/cloud-host/catalog.ts'
import { type Account, accessLogIsPresent, accountsOf, readAccessLog } from '../support/access-log.ts'
import { atRest } from '../support/at-rest.ts'
import { everyCustomer } from '../support/everything.ts'
import { seeded } from '../support/random.ts'
import { newWorld, type World } from '../support/world.ts'

const REGISTERED = '2015-05-17T00:00:00Z'
const LOG_IS_OVER = '2015-05-21T00:00:00Z'
const BOUNDARY = '2015-06-17T00:00:00Z'
const JUST_BEFORE = '2015-06-16T23:59:30Z'
const TEN_MINUTES_AFTER = '2015-06-17T00:10:00Z'
const HALF_AN_HOUR_AFTER = '2015-06-17T00:30:00Z'
const FINALIZED = '2015-06-17T02:00:00Z'

/** The busiest client addresses; everybody else together is one more customer. */
const BUSIEST = 20

/**
 * By hand, from the cloud-host catalogue, in cents:
 *  - requests: 0.40 for each begun million; nobody has more than one.
 *  - bandwidth: the first 1,000,000,000 bytes are free. "others" sent 2,368,925,037 + 1,000 of the
 *    straggler below: 1,368,926,037 × 0.00000000009 = 0.1232033… = 0.12.
 *  - support: 10 % of 20.00 + the lines above: 10 % of 20.40 = 2.04, of 20.52 = 2.052 = 2.05.
 *  - and the next month's fee of 20.00 in advance.
 */
const expected: Record<string, { bandwidth: number; requests: number; support: number; total: number }> = {
  '66.249.73.135': { bandwidth: 0, requests: 40, support: 204, total: 2244 },
  '208.91.156.11': { bandwidth: 0, requests: 40, support: 204, total: 2244 },
  '68.180.224.225': { bandwidth: 0, requests: 40, support: 204, total: 2244 },
  others: { bandwidth: 12, requests: 40, support: 205, total: 2257 },
}

describe.skipIf(!accessLogIsPresent)(
  'four days of a real web server (needs the access log beside the checkout)',
  () => {
    let world: World
    let accounts: Account[]
    const clocks = new Map<string, string>()
    const customers = new Map<string, string>()
    const invoices = new Map<string, Stripe.Invoice>()

    beforeAll(async () => {
      world = await newWorld()
      accounts = accountsOf(readAccessLog(), BUSIEST)
      await world.client.catalog.apply(catalogDocumentOf(cloudHost))
    })
    afterAll(() => world?.close())

    const turnAll = async (frozenTime: string) => {
      await Promise.all(
        [...clocks.values()].map(async (clock) => {
          await world.client.testClocks.advance(clock, frozenTime)
          await world.client.testClocks.ready(clock)
        }),
      )
      // A draft whose "created" nobody has taken yet is held beyond its hour.
      await atRest(world)
    }

    test('registers 21 customers, each on a test clock of its own', async () => {
      await Promise.all(
        accounts.map(async ({ name }) => {
          const clock = await world.client.testClocks.create({ frozenTime: REGISTERED, name })
          clocks.set(name, clock.id)
          const { id } = await world.client.registrations.create({
            externalId: name,
            plan: 'cloud-host',
            paymentMethod: 'pm_card_visa',
            testClock: clock.id,
          })
          const registration = await world.client.registrations.ended(id)
          expect(registration.state).toBe('completed')
          customers.set(name, registration.customer)
        }),
      )
      expect(customers.size).toBe(BUSIEST + 1)
    })

    test('takes every line of the log in once, though every batch comes twice and in any order', async () => {
      await turnAll(LOG_IS_OVER)
      const events = accounts.flatMap(({ name, requests }) =>
        requests.flatMap(({ line, time, bytes }) => [
          {
            source: 'access.log',
            id: `${line}/request`,
            type: 'requests',
            subject: name,
            time,
            data: { quantity: 1 },
          },
          {
            source: 'access.log',
            id: `${line}/bytes`,
            type: 'bandwidth_bytes',
            subject: name,
            time,
            data: { quantity: String(bytes) },
          },
        ]),
      )
      const random = seeded(2015)
      const shuffled = random.shuffle(events)
      const batches = Array.from({ length: Math.ceil(shuffled.length / 100) }, (_, index) =>
        shuffled.slice(index * 100, (index + 1) * 100),
      )
      const twice = random.shuffle([...batches, ...batches])

      let [accepted, duplicates] = [0, 0]
      const senders = Array.from({ length: 8 }, async (_, sender) => {
        for (let index = sender; index < twice.length; index += 8) {
          const receipt = await world.client.usage.send(twice[index] ?? [])
          accepted += receipt.accepted
          duplicates += receipt.duplicates
          expect(receipt.conflicts).toEqual([])
        }
      })
      await Promise.all(senders)
      expect({ accepted, duplicates }).toEqual({ accepted: 20_000, duplicates: 20_000 })
    })

    test('shows each customer a current invoice of exactly that, with its derivation', async () => {
      for (const { name, requests, bytes } of accounts) {
        const billing = await world.client.customers.billing(customers.get(name) ?? '')
        const invoice = billing.subscriptions[0]?.currentInvoice
        const quantities = Object.fromEntries(
          invoice?.lines.map(({ key, quantity }) => [key, quantity]) ?? [],
        )
        expect(quantities, name).toMatchObject({
          requests: String(requests.length),
          bandwidth: String(bytes),
        })
      }
      const others = await world.client.customers.billing(customers.get('others') ?? '')
      const line = others.subscriptions[0]?.currentInvoice?.lines.find(({ key }) => key === 'bandwidth')
      const { explanation } = await world.client.invoices.explain(
        others.subscriptions[0]?.currentInvoice?.id ?? '',
        line?.id ?? '',
      )
      expect(explanation.join('\n')).toContain('2,368,925,037')
    })

    test('puts usage sent half an hour after the boundary on the invoice of its own time', async () => {
      await turnAll(HALF_AN_HOUR_AFTER)
      const stragglers = [
        {
          source: 'straggler',
          id: 'before',
          type: 'bandwidth_bytes',
          subject: 'others',
          time: JUST_BEFORE,
          data: { quantity: 1000 },
        },
        {
          source: 'straggler',
          id: 'after',
          type: 'bandwidth_bytes',
          subject: 'others',
          time: TEN_MINUTES_AFTER,
          data: { quantity: 77 },
        },
      ]
      expect(await world.client.usage.send(stragglers)).toMatchObject({ accepted: 2 })
      const billing = await world.client.customers.billing(customers.get('others') ?? '')
      const [subscription] = billing.subscriptions
      const bandwidth = (lines: readonly { key: string | null; quantity: string | null }[] | undefined) =>
        lines?.find(({ key }) => key === 'bandwidth')?.quantity
      expect(subscription?.currentInvoice?.period).toEqual({ start: BOUNDARY, end: '2015-07-17T00:00:00Z' })
      expect(bandwidth(subscription?.currentInvoice?.lines)).toBe('77')
      expect(bandwidth(subscription?.closingInvoices[0]?.lines)).toBe('2368926037')
    })

    test("has every customer's finalized Stripe invoice carry the usage that the file gives", async () => {
      await turnAll(FINALIZED)
      let [requestsBilled, bytesBilled] = [0n, 0n]
      for await (const customer of everyCustomer(world.stripe)) {
        for await (const invoice of world.stripe.invoices.list({ customer: customer.id }))
          if (invoice.billing_reason === 'subscription_cycle') {
            const name = accounts.find(
              (account) => customers.get(account.name) === customer.metadata.lockstep_customer,
            )?.name
            expect(invoices.has(name ?? ''), `${name} has one renewal invoice`).toBe(false)
            invoices.set(name ?? customer.id, invoice)
          }
      }
      for (const { name, requests, bytes } of accounts) {
        const invoice = invoices.get(name)
        expect(invoice?.status, name).toBe('paid')
        const lines = await world.stripe.invoices.listLineItems(invoice?.id ?? '', { limit: 100 })
        const billed = (key: string) =>
          BigInt(
            lines.data.find(({ metadata }) => metadata.lockstep_line?.endsWith(key))?.metadata
              .lockstep_quantity ?? 0,
          )
        expect(billed('requests'), name).toBe(BigInt(requests.length))
        expect(billed('bandwidth'), name).toBe(bytes + (name === 'others' ? 1000n : 0n))
        requestsBilled += billed('requests')
        bytesBilled += billed('bandwidth')
      }
      expect(requestsBilled).toBe(10_000n)
      expect(bytesBilled).toBe(2_747_282_740n + 1000n)
    })

    test('has Stripe say the amounts that a person computes from the price list', async () => {
      for (const [name, amounts] of Object.entries(expected)) {
        const invoice = invoices.get(name)
        const lines = await world.stripe.invoices.listLineItems(invoice?.id ?? '', { limit: 100 })
        const amount = (key: string) =>
          lines.data.find(({ metadata }) => metadata.lockstep_line?.endsWith(key))?.amount
        expect(
          {
            bandwidth: amount('bandwidth'),
            requests: amount('requests'),
            support: amount('support'),
            total: invoice?.total,
          },
          name,
        ).toEqual(amounts)
      }
    })

    test('froze what Stripe finalized, and opened exactly one next invoice for each', async () => {
      for (const { name } of accounts) {
        const ours = []
        for await (const invoice of world.client.invoices.list({ customer: customers.get(name) ?? '' }))
          ours.push(invoice)
        const cycles = ours.filter(({ billingReason }) => billingReason === 'subscription_cycle')
        expect(new Set(cycles.map(({ status }) => status)), name).toEqual(new Set(['current', 'paid']))
        expect(cycles, name).toHaveLength(2)
        const frozen = cycles.find(({ status }) => status === 'paid')
        expect(frozen?.total?.minor, name).toBe(String(invoices.get(name)?.total))
        expect(frozen?.number, name).toBe(invoices.get(name)?.number)
      }
    })

    test('makes no provider call when nothing has changed since the last sync', async () => {
      const open = []
      for await (const invoice of world.client.invoices.list({ status: 'current' })) open.push(invoice.id)
      expect(open).toHaveLength(BUSIEST + 1)
      for (const id of open) await world.client.invoices.sync(id)
      // What webhooks brought may still be looked at, which are calls of its own.
      await atRest(world)
      await fetch(`${world.simulatorUrl}/_simulator/requests`, { method: 'DELETE' })
      for (const id of open) await world.client.invoices.sync(id)
      const response = await fetch(`${world.simulatorUrl}/_simulator/requests`)
      expect(await response.json()).toMatchObject({ total: 0, requests: [] })
    })
  },
)
