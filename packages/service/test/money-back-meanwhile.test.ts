import { defineCatalog } from '@lockstep/core/catalog'
import { money } from '@lockstep/core/money'
import type Stripe from 'stripe'
import { expect, test } from 'vitest'
import { newId } from '../src/ids.ts'
import { idOf } from '../src/provider/stripe/field.ts'
import type { InvoiceRow } from '../src/store/invoices.ts'
import { workflowKinds } from '../src/workflow/kinds.ts'
import { beginChange } from '../src/workflow/plan-change/begin.ts'
import { beginRefund } from '../src/workflow/refund.ts'
import { makeWorkflows } from '../src/workflow/workflows.ts'
import { flatPlan } from './support/catalogs.ts'
import type { Installation } from './support/installation.ts'
import { sharedInstallation } from './support/shared.ts'
import { newSubscriber } from './support/subscriber.ts'

// Between what a change gives back is decided and the provider is told, somebody gives the same money back. Of premium,
// 16.13 of 25.00 are left on 12 January: 20 of 31 days.

const catalog = defineCatalog({
  currency: 'usd',
  products: { app: { name: 'App' } },
  plans: { basic: flatPlan('Basic', '10.00'), premium: flatPlan('Premium', '25.00') },
})

const { installation } = await sharedInstallation(catalog)

const less = { plan: 'basic', when: 'now' } as const

async function premium() {
  const { stripe } = installation.deps.provider
  const ada = await newSubscriber(installation, 'premium')
  await ada.turn('2026-01-12T00:00:00Z')
  const subscription = String((await ada.read()).providerId)
  const { data } = await stripe.invoices.list({ subscription })
  const invoice = data[0]?.id ?? ''
  const { data: payments } = await stripe.invoicePayments.list({ invoice })
  const payment = idOf(payments[0]?.payment.payment_intent ?? '')
  const balance = async () => {
    const { customer } = await ada.atStripe()
    return 'balance' in customer ? customer.balance : Number.NaN
  }
  return { ...ada, invoice, payment, balance }
}

async function decided(subscription: string) {
  const asked = { operation: newId('operation'), requestedBy: 'test', mayGivePlans: false }
  const more = { requestOrigin: null, accepted: {} }
  const { workflowId, written } = await beginChange(installation.deps, subscription, less, {
    ...asked,
    ...more,
  })
  if (!written) throw new Error('It was begun before.')
  return async () => {
    installation.workflows.beginAs(written)
    return installation.workflows.settled(workflowId, 60)
  }
}

test('what the dashboard gave back after a change was decided is not credited as well', async () => {
  const { stripe } = installation.deps.provider
  for (const giveBack of [
    ({ payment }: { payment: string }) => stripe.refunds.create({ payment_intent: payment, amount: 888 }),
    ({ invoice }: { invoice: string }) =>
      stripe.creditNotes.create({ invoice, amount: 888, out_of_band_amount: 888 }),
  ]) {
    const ada = await premium()
    const carryOut = await decided(ada.id)
    await giveBack(ada)
    expect(await carryOut()).toMatchObject({
      state: 'rolledBack',
      problem: {
        code: 'subscription_not_changeable',
        detail: expect.stringContaining('16.12 usd was paid'),
      },
    })
    expect([(await ada.read()).plan, await ada.balance()]).toEqual(['premium', 0])
    expect(await ada.changes()).toMatchObject([{ state: 'refused' }])
  }
})

test('what is left after all is credited as it was decided', async () => {
  const ada = await premium()
  const carryOut = await decided(ada.id)
  await installation.deps.provider.stripe.refunds.create({ payment_intent: ada.payment, amount: 887 })
  expect(await carryOut()).toMatchObject({ state: 'completed' })
  // 6.45 of basic's 10.00.
  expect([(await ada.read()).plan, await ada.balance()]).toEqual(['basic', -1613 + 645])
})

test('while our own refund is on its way nothing is changed that would give the same back', async () => {
  const ada = await premium()
  const answers: unknown[] = []
  const deps = whenRefunding(async () => {
    answers.push(await ada.preview(less), await ada.change(less))
  })
  const workflows = makeWorkflows(
    deps,
    workflowKinds({ ...deps, drainInbox: async () => 0, doDue: async () => 0 }),
  )
  const invoice = await installation.deps.db
    .selectFrom('invoice')
    .selectAll()
    .where('providerInvoiceId', '=', ada.invoice)
    .executeTakeFirstOrThrow()
  const wanted = { id: newId('refund'), amount: money(2500n, 'usd'), reason: null }
  const workflow = await beginRefund({ ...deps, workflows }, invoice satisfies InvoiceRow, wanted)
  expect(await workflows.settled(workflow, 60)).toMatchObject({ state: 'completed' })
  await workflows.close()
  const busy = { status: 409, body: { code: 'money_back_in_progress' } }
  expect(answers).toMatchObject([busy, busy])
  expect(await ada.change(less)).toMatchObject({ status: 409, body: { code: 'subscription_not_changeable' } })
  expect(await ada.balance()).toBe(0)
})

test('a change does not wait for ever behind a refund that is stuck, and the refund gives back no more than is left', async () => {
  const { deps, workflows } = installation
  const ada = await premium()
  const invoice = await deps.db
    .selectFrom('invoice')
    .selectAll()
    .where('providerInvoiceId', '=', ada.invoice)
    .executeTakeFirstOrThrow()
  // Whoever began it stands still before the first step.
  let carryOut = () => {}
  const begin: typeof workflows.begin = (...run) => {
    carryOut = () => workflows.begin(...run)
  }
  const wanted = { id: newId('refund'), amount: money(2500n, 'usd'), reason: null }
  const workflow = await beginRefund({ ...deps, workflows: { ...workflows, begin } }, invoice, wanted)
  expect(await ada.change(less)).toMatchObject({ status: 409, body: { code: 'money_back_in_progress' } })
  await deps.pool.query("update refund set created_at = created_at - interval '10 minutes' where id = $1", [
    wanted.id,
  ])
  expect(await ada.change(less)).toMatchObject({ status: 200 })
  expect([(await ada.read()).plan, await ada.balance()]).toEqual(['basic', -1613 + 645])
  carryOut()
  // 25.00 less the 9.68 on the balance.
  expect(await workflows.settled(workflow, 60)).toMatchObject({
    state: 'rolledBack',
    problem: { code: 'refund_exceeds_payment', detail: expect.stringContaining('At most 15.32 usd') },
  })
  expect(await ada.balance()).toBe(-968)
})

/** At the last moment before the provider is told of a refund, something else happens. */
function whenRefunding(meanwhile: () => Promise<void>): Installation['deps'] {
  const { deps } = installation
  const { stripe } = deps.provider
  const create = async (...call: Parameters<Stripe['refunds']['create']>) => {
    await meanwhile()
    return stripe.refunds.create(...call)
  }
  const refunds = Object.create(stripe.refunds, { create: { value: create } })
  const interrupted: Stripe = Object.create(stripe, { refunds: { value: refunds } })
  return { ...deps, provider: { ...deps.provider, stripe: interrupted } }
}
