import { z } from 'zod'
import { defineRoute } from './define-route.ts'
import { expand, expanded } from './expand.ts'
import { externalId, id, idParam, providerId } from './ids.ts'
import { instant } from './instant.ts'
import { invoice, invoiceWithLines } from './invoices.ts'
import { currency } from './money.ts'
import { flag, listOf, page } from './pagination.ts'
import { subscription } from './subscriptions.ts'
import { freeText, givenName, refuseCardNumber, withoutCardNumber } from './text.ts'

const email = z
  .email()
  .max(320)
  .refine(withoutCardNumber, refuseCardNumber)
  .meta({ description: 'Where the provider sends receipts.', examples: ['ada@example.org'] })
const name = freeText(200).meta({ description: 'Shown on invoices.', examples: ['Ada Lovelace'] })

export const customer = z
  .strictObject({
    id: id('customer'),
    externalId,
    name: z.string().nullable(),
    email: z.string().nullable(),
    currency: currency.nullable().meta({ description: 'Fixed by the first subscription; null before it.' }),
    testClock: id('test_clock')
      .nullable()
      .meta({ description: 'The test clock whose time this customer lives at.' }),
    providerId: providerId.nullable().meta({
      description: 'Null until the customer exists at the provider, and once it was deleted there.',
    }),
    deletedAtProvider: instant.nullable().meta({
      description:
        'When it was deleted at the provider: nothing can be charged until it registers again. Null of who was not.',
    }),
    createdAt: instant,
    ...expanded,
  })
  .meta({ id: 'Customer', description: 'Who pays.' })

/** What may be said of a new customer; a registration says the same. */
export const customerFields = {
  externalId,
  email: email.optional(),
  name: name.optional(),
  testClock: idParam('test clock').optional().meta({ description: 'Put the customer on this test clock.' }),
}

const billedSubscription = z
  .strictObject({
    subscription,
    currentInvoice: invoiceWithLines
      .nullable()
      .meta({ description: 'What the next renewal will say; null once the subscription has ended.' }),
    closingInvoices: z
      .array(invoiceWithLines)
      .meta({ description: "Periods that are over while the provider's draft is still open." }),
  })
  .meta({ id: 'BilledSubscription' })

export const billingOverview = z
  .strictObject({
    customer,
    subscriptions: z
      .array(billedSubscription)
      .meta({ description: 'The live ones, the default slot first.' }),
    openInvoices: z.array(invoice).meta({
      description:
        'Those that are final and wait for payment, the oldest first; also of a subscription that has ended, and of none.',
    }),
    syncedAt: instant
      .nullable()
      .meta({ description: 'When the provider was last told; null if it never was.' }),
    stale: z.boolean().meta({ description: 'Something changed since the provider was last told.' }),
    syncRequested: z.boolean().meta({
      description:
        'Looking at stale figures has the provider told soon, if it was not within the last minute.',
    }),
  })
  .meta({ id: 'BillingOverview', description: "A customer's billing in one read." })

const params = z.strictObject({ id: idParam('customer') })
const tags = ['Customers']

export const listCustomers = defineRoute({
  id: 'listCustomers',
  method: 'GET',
  path: '/v1/customers',
  callers: { key: 'customers:read' },
  summary: 'List customers, newest first',
  tags,
  query: z.strictObject({
    externalId: externalId.optional(),
    email: givenName(320)
      .optional()
      .meta({ description: 'Exactly this address, upper and lower case alike.' }),
    testClock: idParam('test clock').optional(),
    expand,
    ...page,
  }),
  answers: { 200: listOf('Customer', customer) },
})

export const readCustomer = defineRoute({
  id: 'readCustomer',
  method: 'GET',
  path: '/v1/customers/:id',
  callers: { key: 'customers:read', user: 'own customer' },
  summary: 'One customer',
  tags,
  params: z.strictObject({
    id: givenName(200).meta({ description: 'Our id of the customer, or your own (`externalId`).' }),
  }),
  query: z.strictObject({ expand }),
  answers: { 200: customer },
  problems: ['customer_not_found'],
})

export const createCustomer = defineRoute({
  id: 'createCustomer',
  method: 'POST',
  path: '/v1/customers',
  callers: { key: 'customers:write' },
  summary: 'Create a customer without a subscription',
  description:
    'Registering creates the customer by itself; this is for those who shall exist before they choose a plan.',
  tags,
  body: z.strictObject(customerFields).meta({ id: 'NewCustomer' }),
  answers: { 201: customer },
  problems: ['customer_exists'],
})

const erasure = z
  .strictObject({
    customer: id('customer'),
    dryRun: z.boolean(),
    erased: z.strictObject({
      profiles: z.int().meta({ description: 'Name and e-mail address.' }),
      acceptances: z.int().meta({ description: 'Who accepted a contract, with the salts of their digests.' }),
      requests: z.int().meta({ description: 'Metadata and digests of registrations.' }),
      providerRows: z.int().meta({ description: 'Objects and events that the provider sent.' }),
    }),
    remains: z
      .array(z.strictObject({ what: z.string(), count: z.int().nullable(), why: z.string() }))
      .meta({ description: 'What is kept, and why.' }),
    provider: z
      .enum(['told', 'queued'])
      .nullable()
      .meta({ description: 'Whether name and address are gone there too; null: no customer is there.' }),
    paymentMethods: z
      .strictObject({
        found: z
          .array(z.strictObject({ id: z.string(), type: z.string() }))
          .meta({ description: 'The provider’s ids of cards and accounts that will be detached.' }),
        waitsFor: z.array(z.string()).meta({
          description:
            'The provider’s ids of invoices and subscriptions that have to be paid, void, uncollectible or over before; none: at once.',
        }),
      })
      .nullable()
      .meta({
        description:
          'Of a dry run: what can be charged there. Null otherwise, and where the provider has no such customer or cannot be reached.',
      }),
  })
  .meta({ id: 'Erasure' })

export const deleteCustomer = defineRoute({
  id: 'deleteCustomer',
  method: 'DELETE',
  path: '/v1/customers/:id',
  callers: { key: 'customers:write' },
  summary: 'End what a customer has, and erase who it is',
  description:
    'Every live subscription is ended now, and what is left to bill is billed; an end that is refused stops it, and ' +
    'nothing is erased. Then who the customer is is erased for good, as soon as the last invoice is final.',
  tags,
  params,
  answers: {
    200: z
      .strictObject({
        customer: id('customer'),
        ended: z.array(id('subscription')).meta({ description: 'Subscriptions that were ended for it.' }),
        state: z.enum(['erased', 'waiting']).meta({
          description: '`waiting`: the last invoices are not final yet; then it is erased by itself.',
        }),
      })
      .meta({ id: 'CustomerDeletion' }),
  },
  problems: ['customer_not_found', 'customer_in_use', 'subscription_changing'],
})

export const eraseCustomer = defineRoute({
  id: 'eraseCustomer',
  method: 'POST',
  path: '/v1/customers/:id/erasure',
  callers: { key: 'customers:write' },
  summary: 'Erase who a customer is',
  description:
    'A dry run unless `dryRun` is false. Contracts and invoices stay verifiable; personal data and the salts of their digests are gone for good.',
  tags,
  params,
  query: z.strictObject({
    dryRun: flag.default(true).meta({ description: 'Only say what would be erased.' }),
  }),
  answers: { 200: erasure },
  problems: ['customer_not_found', 'customer_in_use'],
})

export const updateCustomer = defineRoute({
  id: 'updateCustomer',
  method: 'PATCH',
  path: '/v1/customers/:id',
  callers: { key: 'customers:write' },
  summary: "Change a customer's name or e-mail address",
  description: 'Here and at the provider. What is left out stays; null removes it.',
  tags,
  params,
  body: z
    .strictObject({
      name: name.nullable().optional().meta({ description: 'Null removes it.' }),
      email: email.nullable().optional().meta({ description: 'Null removes it.' }),
    })
    .refine((change) => change.name !== undefined || change.email !== undefined, {
      error: 'Nothing to change.',
    })
    .meta({ id: 'CustomerChange' }),
  answers: { 200: customer },
  problems: ['customer_not_found'],
})

export const readBilling = defineRoute({
  id: 'readBilling',
  method: 'GET',
  path: '/v1/customers/:id/billing',
  callers: { key: 'customers:read', user: 'own customer' },
  summary: "A customer's billing in one read",
  description:
    'Subscriptions, the current invoice of each with its lines, those that are closing, and what waits for payment.',
  tags,
  params,
  answers: { 200: billingOverview },
  problems: ['customer_not_found'],
})
