import type Stripe from 'stripe'
import type { Installation } from '../../packages/service/test/support/installation.ts'

export type Ended = 'unasked' | 'completed' | 'rolledBack' | 'parked'

interface Expected {
  readonly end: 'completed' | 'rolledBack'
  readonly charges: number
  readonly lives?: number
  /** It had something before, which is charged to the card before until something new is bought. */
  readonly known?: boolean
}

interface Standing {
  readonly customer: string | null
  readonly subscription: string | null
  readonly registrations: number
  readonly state: 'completed' | 'rolledBack' | 'parked' | null
  readonly stage: string | null
  readonly problem: string | null
  readonly customerLink: string | null
  readonly subscriptionLink: string | null
  readonly status: string | null
  readonly slots: number
  readonly unsettled: string[]
}

/**
 * Looks at one registration from both sides after everything came to rest. Stripe is asked through its
 * own client, the database in SQL: not through what is being tested.
 */
export async function checkRegistered(
  installation: Installation,
  externalId: string,
  { end, charges: expectedCharges, lives = 1, known = false }: Expected,
): Promise<{ ended: Ended; breaches: string[] }> {
  const breaches: string[] = []
  const must = (holds: boolean, sentence: string) => {
    if (!holds) breaches.push(`${externalId}: ${sentence}`)
  }
  const here = await standing(installation, externalId)
  const { customers, charges, invoices, pages, ...found } = await atStripe(installation, here.customer)
  const subscriptions = found.subscriptions.filter(
    ({ metadata }) => metadata.lockstep_subscription === here.subscription,
  )
  const live = subscriptions.filter(({ status }) => status !== 'canceled' && status !== 'incomplete_expired')

  if (here.state === null) {
    must(
      customers.length + subscriptions.length === 0,
      'nothing is recorded here, and something is at Stripe',
    )
    must(here.customer === null && here.registrations === 0, 'it was never recorded, and something is here')
    return { ended: 'unasked', breaches }
  }
  must(here.registrations === 1, `${here.registrations} registrations for one request`)
  must(customers.length <= 1, `${customers.length} customers at Stripe`)
  must(
    customers.every(({ id }) => id === here.customerLink),
    'the customer at Stripe is not the one linked',
  )
  must(live.length <= 1, `${live.length} live subscriptions`)
  must(charges.length <= 1, `${charges.length} charges`)
  must(pages.length <= 1, `${pages.length} payment pages`)
  if (here.state === 'parked') {
    must(here.problem !== null && here.stage !== null, 'it is parked and nobody can tell why')
    return { ended: 'parked', breaches }
  }
  must(here.state === end, `it is ${here.state} at "${here.stage}" and should be ${end}: ${here.problem}`)
  must(here.unsettled.length === 0, `calls are not settled: ${here.unsettled.join(', ')}`)
  must(
    invoices.every(({ status }) => status === 'paid' || status === 'void'),
    'something can still be paid',
  )
  must(
    pages.every(({ status }) => status !== 'open'),
    'a payment page is still open',
  )
  must(charges.length === expectedCharges, `${charges.length} charges instead of ${expectedCharges}`)
  if (known) {
    const [card] = customers.map(({ invoice_settings: { default_payment_method: method } }) => method)
    const brand = typeof card === 'object' ? card?.card?.brand : card
    must(brand === (end === 'completed' ? 'visa' : 'mastercard'), `everything is charged to the ${brand}`)
    must(
      found.subscriptions.length - subscriptions.length === 1,
      'what the customer had before is not what it was',
    )
  }
  must(
    live.every(({ default_payment_method: own }) => own === null),
    'it is charged to a card of its own',
  )
  if (here.state === 'completed') {
    must(live.length === lives, `${live.length} live subscriptions of a completed registration`)
    must((live[0]?.id ?? null) === here.subscriptionLink, 'the live subscription is not the one linked')
    must(
      (live[0]?.status ?? null) === here.status,
      `it is ${live[0]?.status} at Stripe and ${here.status} here`,
    )
    must(here.slots === lives, 'its slot is not held as long as it lives')
  } else {
    must(live.length === 0, 'a subscription lives on after it was undone')
    must(here.slots === 0, 'its slot is not free')
  }
  return { ended: here.state, breaches }
}

async function standing({ database }: Installation, externalId: string): Promise<Standing> {
  const { rows } = await database.pool.query<Standing>(
    `select c.id as customer, r.subscription_id as subscription, w.state, w.stage, w.problem ->> 'detail' as problem, s.status,
       (select count(*)::int from registration where customer_id = c.id and slot <> 'before') as registrations,
       (select count(*)::int from subscription_slot where subscription_id = r.subscription_id) as slots,
       (select provider_id from mapping where entity_id = c.id) as "customerLink",
       (select provider_id from mapping where entity_id = r.subscription_id) as "subscriptionLink",
       array(select id || ' ' || state from operation o
         where (o.subject_id in (c.id, r.subscription_id) or starts_with(o.id, w.id || '/')) and o.state in ('prepared', 'unknown')) as unsettled
     from customer c
     left join registration r on r.customer_id = c.id and r.slot <> 'before'
     left join workflow w on w.id = r.workflow_id
     left join subscription s on s.id = r.subscription_id
     where c.external_id = $1`,
    [externalId],
  )
  const nobody = {
    customer: null,
    subscription: null,
    customerLink: null,
    subscriptionLink: null,
    status: null,
  }
  const nothing = { registrations: 0, state: null, stage: null, problem: null, slots: 0, unsettled: [] }
  return rows[0] ?? { ...nobody, ...nothing }
}

/** The newest are this registration's: the lane makes one after the other. */
async function atStripe({ deps: { provider } }: Installation, customer: string | null) {
  const { stripe, instance } = provider
  const { data } = await stripe.customers.list({
    limit: 5,
    expand: ['data.invoice_settings.default_payment_method'],
  })
  const customers = data.filter(
    ({ metadata }) => metadata.lockstep_instance === instance && metadata.lockstep_customer === customer,
  )
  const subscriptions: Stripe.Subscription[] = []
  const charges: Stripe.Charge[] = []
  const invoices: Stripe.Invoice[] = []
  const pages: Stripe.Checkout.Session[] = []
  for (const { id } of customers) {
    subscriptions.push(...(await stripe.subscriptions.list({ customer: id, status: 'all', limit: 100 })).data)
    charges.push(...(await stripe.charges.list({ customer: id, limit: 100 })).data)
    invoices.push(...(await stripe.invoices.list({ customer: id, limit: 100 })).data)
    pages.push(...(await stripe.checkout.sessions.list({ customer: id, limit: 100 })).data)
  }
  const paid = charges.filter(({ status, refunded }) => status === 'succeeded' && !refunded)
  return { customers, subscriptions, charges: paid, invoices, pages }
}
