import { limitOwners } from '@lockstep/core/spend-limit'
import { z } from 'zod'
import { defineRoute } from './define-route.ts'
import { id, idParam, key } from './ids.ts'
import { instant, period } from './instant.ts'
import { currency } from './money.ts'
import { flag, listOf, page } from './pagination.ts'

const owner = z.enum(limitOwners).meta({
  description:
    "The customer's own wish, or that of whoever runs the application. Each is changed by its side alone.",
})
const meter = key.nullable().meta({
  description: 'Whose quantity it is; null for what all usage costs, before shares, fees, discounts and tax.',
})
const limitCurrency = currency.nullable().meta({ description: 'Of an amount; null for a quantity.' })
const figure = z
  .string()
  .regex(/^-?\d{1,29}(\.\d{1,9})?$/)
  .meta({ description: 'In major units of the currency, or units of the meter.', examples: ['100.00'] })
/** As somebody writes it: above zero is for the route to say, which knows the currency. */
const wanted = z
  .string()
  .regex(/^\d{1,15}(\.\d{1,9})?$/, 'Write a decimal number such as "100.00".')
  .meta({
    description: 'Above zero: in major units of the currency, or units of the meter.',
    examples: ['100.00'],
  })
const percents = z.array(z.int().min(1).max(100)).max(10)

const standing = z.strictObject({
  subscription: id('subscription'),
  period,
  spent: figure.meta({ description: 'What this period has come to so far.' }),
  capReached: z.boolean(),
})

export const spendLimit = z
  .strictObject({
    id: id('spend_limit'),
    customer: id('customer'),
    owner,
    meter,
    currency: limitCurrency,
    cap: figure.nullable().meta({ description: 'Where the features are used up; null for alerts only.' }),
    alerts: z.array(figure),
    alertPercents: percents.meta({ description: 'Of the cap.' }),
    madeBy: z.string().meta({ description: 'The key that it came by, or the digest of a user.' }),
    madeAt: instant,
    ended: z
      .strictObject({ by: z.string(), at: instant })
      .nullable()
      .meta({ description: 'Null while it holds; another one took its place, or it was taken away.' }),
    standing: z
      .array(standing)
      .meta({ description: 'How far it is used now, in each subscription where it holds.' }),
  })
  .meta({
    id: 'SpendLimit',
    description: 'What usage may come to in a billing period, or where it is told of.',
  })

export const spendAlert = z
  .strictObject({
    id: id('spend_alert'),
    kind: z.enum(['alert', 'cap']),
    customer: id('customer'),
    subscription: id('subscription'),
    invoice: id('invoice'),
    period,
    limit: id('spend_limit'),
    owner,
    meter,
    currency: limitCurrency,
    at: figure.meta({ description: 'The figure that was reached.' }),
    spent: figure.meta({ description: 'What usage had come to when it was seen.' }),
    reachedAt: instant,
  })
  .meta({ id: 'SpendAlert', description: 'A figure of a spend limit was reached; once in a period.' })

const params = z.strictObject({ id: idParam('customer') })
const tags = ['Spend limits']

export const setSpendLimit = defineRoute({
  id: 'setSpendLimit',
  method: 'POST',
  path: '/v1/customers/:id/spend-limits',
  callers: { key: 'customers:write', user: 'own customer' },
  summary: 'Limit what usage may come to in a period, or have it told',
  description:
    'Takes the place of the limit of the same side and meter. It holds at once, also for what was used before. Usage that comes beyond a cap is recorded and billed all the same: the application asks for the entitlement, and stops.',
  tags,
  params,
  body: z
    .strictObject({
      owner: owner.optional().meta({
        description: "`operator` unless a user asks, who sets the customer's own and nothing else.",
      }),
      meter: key.optional().meta({ description: "Limit this meter's quantity; unless given, the amount." }),
      currency: currency.optional().meta({
        description: 'Of an amount. Only needed while the customer has none yet.',
      }),
      cap: wanted.nullable().default(null).meta({ description: 'Above zero; null for alerts only.' }),
      alerts: z.array(wanted).max(10).default([]).meta({ description: 'Figures to be told of.' }),
      alertPercents: percents.default([]).meta({ description: 'Hundredths of the cap to be told of.' }),
    })
    .refine(({ cap, alerts }) => cap !== null || alerts.length > 0, {
      error: 'Name a cap, an alert, or both.',
    })
    .refine(({ cap, alertPercents }) => cap !== null || alertPercents.length === 0, {
      error: 'A percentage is of the cap: name one.',
      path: ['alertPercents'],
    })
    .meta({ id: 'NewSpendLimit' }),
  answers: { 201: spendLimit },
  problems: ['customer_not_found', 'meter_not_found', 'currency_mismatch', 'forbidden'],
})

export const listSpendLimits = defineRoute({
  id: 'listSpendLimits',
  method: 'GET',
  path: '/v1/customers/:id/spend-limits',
  callers: { key: 'customers:read', user: 'own customer' },
  summary: "A customer's spend limits, newest first, and how far they are used",
  tags,
  params,
  query: z.strictObject({
    ended: flag
      .default(false)
      .meta({ description: 'Those too that do not hold any more: who set what, and when.' }),
    ...page,
  }),
  answers: { 200: listOf('SpendLimit', spendLimit) },
  problems: ['customer_not_found'],
})

export const endSpendLimit = defineRoute({
  id: 'endSpendLimit',
  method: 'DELETE',
  path: '/v1/customers/:id/spend-limits/:limit',
  callers: { key: 'customers:write', user: 'own customer' },
  summary: 'Take a spend limit away',
  description: 'What it capped is to be had again at once. Twice is once.',
  tags,
  params: z.strictObject({ id: idParam('customer'), limit: idParam('spend limit') }),
  answers: { 200: spendLimit },
  problems: ['customer_not_found', 'spend_limit_not_found', 'forbidden'],
})

export const listSpendAlerts = defineRoute({
  id: 'listSpendAlerts',
  method: 'GET',
  path: '/v1/customers/:id/spend-alerts',
  callers: { key: 'customers:read', user: 'own customer' },
  summary: 'Which figures of spend limits were reached, newest first',
  tags,
  params,
  query: z.strictObject({ ...page }),
  answers: { 200: listOf('SpendAlert', spendAlert) },
  problems: ['customer_not_found'],
})
