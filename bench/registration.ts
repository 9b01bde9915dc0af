import { type Client, createClient } from '@lockstep/sdk'
import Stripe from 'stripe'
import { type Bench, interleave, summarize } from './bench.ts'
import type { RegistrationLoad, RegistrationLoadResult } from './load/registration.ts'
import type { PlainOptions, PlainResult } from './reference/plain-registration.ts'
import { ADMIN_KEY, openStage, runProgram, startStripeBefore } from './stage.ts'
import { teamCatalog } from './team-catalog.ts'

const CONNECTIONS = 16
const WARM_UP_SECONDS = 2

/** Registrations over HTTP, against six steps and seven commits written by hand, at a Stripe that answers at once. */
export const registration: Bench = {
  name: 'registration',
  unit: 'registrations/s',
  bar: 0.5,
  run: async ({ seconds, note }) => {
    const stage = await openStage()
    const instant = await startStripeBefore('bench/reference/instant-stripe.ts')
    try {
      const service = await stage.startService({
        STRIPE_API_BASE: instant.url,
        STRIPE_API_KEY: 'sk_test_bench',
      })
      const client = createClient({ baseUrl: service.url, apiKey: ADMIN_KEY })
      await client.catalog.apply(teamCatalog)
      const mapping = (await client.mappings.list({ entityType: 'price' }).first()) ?? { providerId: '' }
      // The first one shows the instant Stripe what it has to answer.
      const first = { externalId: 'first', plan: 'team', paymentMethod: 'pm_card_visa' }
      await client.registrations.ended((await client.registrations.create(first)).id)
      await showReference(instant.port, await providerIdOf(client, first.externalId))
      let registered = 1
      let run = 0
      const product = async (length: number) => {
        run += 1
        const options = {
          url: service.url,
          apiKey: ADMIN_KEY,
          run,
          connections: CONNECTIONS,
          seconds: length,
        }
        const result = await runProgram<RegistrationLoadResult>(
          'load/registration.ts',
          options satisfies RegistrationLoad,
        )
        registered += result.registrations
        return result.registrations / result.seconds
      }
      const reference = async (length: number) => {
        const options: PlainOptions = {
          databaseUrl: stage.referenceUrl,
          stripeUrl: instant.url,
          price: mapping.providerId,
          connections: CONNECTIONS,
          seconds: length,
        }
        const result = await runProgram<PlainResult>('reference/plain-registration.ts', options)
        return result.registrations / result.seconds
      }
      note('warming up')
      await product(WARM_UP_SECONDS)
      await reference(WARM_UP_SECONDS)
      const passes = await interleave(
        () => reference(seconds),
        () => product(seconds),
      )
      note('checking')
      const [found] = await stage.query<{ count: string }>(
        stage.databaseUrl,
        `select count(*) from registration r join workflow w on w.id = r.workflow_id
         join subscription s on s.id = r.subscription_id where w.state = 'completed' and s.status = 'active'`,
      )
      if (Number(found?.count) !== registered)
        throw new Error(`${registered} registrations were answered, ${found?.count} are completed.`)
      return summarize(passes, ({ reference: plain, product: ours }) => ours / plain)
    } finally {
      await instant.stop()
      await stage.close()
    }
  },
}

async function providerIdOf(client: Client, externalId: string): Promise<string> {
  const customer = await client.customers.list({ externalId }).first()
  return customer?.providerId ?? ''
}

/** The calls that the reference makes and we do not, shown to the instant Stripe once. */
async function showReference(port: number, customer: string): Promise<void> {
  const stripe = new Stripe('sk_test_bench', { host: '127.0.0.1', port, protocol: 'http', telemetry: false })
  const { id } = await stripe.paymentMethods.attach('pm_card_visa', { customer })
  await stripe.customers.update(customer, { invoice_settings: { default_payment_method: id } })
}
