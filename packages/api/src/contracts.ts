import { z } from 'zod'
import { defineRoute } from './define-route.ts'
import { grant } from './grants.ts'
import { externalId, id, idParam, key } from './ids.ts'
import { instant } from './instant.ts'
import { currency, money } from './money.ts'
import { listOf, page } from './pagination.ts'
import { interval } from './plans.ts'
import { price } from './prices.ts'

const digest = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .meta({ description: 'SHA-256, in hex.' })

const summary = {
  id: id('contract'),
  customer: id('customer'),
  externalId,
  subscription: id('subscription'),
  sequence: z.int().min(1).meta({ description: "Its place in the customer's chain, from 1 on." }),
  plan: key.meta({ description: "The plan's key." }),
  planVersion: z.int().min(1),
  supersedes: id('contract').nullable().meta({ description: 'The contract whose place it took.' }),
  supersededBy: id('contract').nullable().meta({ description: 'Null as long as it is in force.' }),
  acceptedAt: instant,
  concludedAt: instant,
  hash: digest,
  previousHash: digest.nullable().meta({ description: "Of the customer's contract before." }),
}

const contractSummary = z
  .strictObject(summary)
  .meta({ id: 'ContractSummary', description: 'What two parties agreed on; never changed.' })

export const agreedDiscount = z
  .strictObject({
    name: z.string(),
    coupon: z.string().nullable(),
    off: z.discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('amount'), amount: money }),
      z.strictObject({ kind: z.literal('percent'), percent: z.string().meta({ examples: ['12.5'] }) }),
    ]),
    duration: z.enum(['once', 'repeating', 'forever']),
    months: z.int().nullable().meta({ description: 'Of a repeating one.' }),
    start: instant,
    end: instant.nullable().meta({ description: 'The first second without it.' }),
  })
  .meta({ id: 'AgreedDiscount', description: 'Each runs and ends by itself.' })

const agreedFeature = grant.extend({ name: z.string(), unitLabel: z.string().nullable() })

const agreedAddon = z
  .strictObject({
    key,
    name: z.string(),
    version: z.int(),
    quantity: z.int().min(0),
    prices: z.array(price),
    features: z.array(agreedFeature).meta({ description: 'Of one piece of it.' }),
  })
  .meta({
    id: 'AgreedAddon',
    description: 'What is sold beside the plan, in its currency and billing cycle.',
  })

const agreement = z
  .strictObject({
    plan: z.strictObject({ key, name: z.string(), version: z.int(), rollsInto: key.nullable() }),
    currency,
    startsAt: instant,
    billingCycle: z.strictObject({ interval, intervalCount: z.int().min(1) }),
    payments: z.int().min(1).optional().meta({
      description:
        'After so many it is over, the first of them at once; absent where it goes on until somebody ends it.',
    }),
    usageCycle: z
      .strictObject({ interval, intervalCount: z.int().min(1) })
      .optional()
      .meta({
        description: 'Of usage that is billed more often than the fees; absent where it is billed with them.',
      }),
    trial: z.strictObject({ days: z.int(), usage: z.enum(['free', 'billed']) }).nullable(),
    quantity: z.int().min(0),
    prices: z.array(price),
    features: z.array(agreedFeature),
    addons: z.array(agreedAddon),
    itemNumbers: z.record(z.string(), z.int().min(0).nullable()).optional().meta({
      description:
        "How many of a price are paid for each period, by its key, an add-on's behind its own and a dot, where that is not what the quantity says (a flat price beside others: once); null where it has no item. Absent where there is none.",
    }),
    discounts: z.array(agreedDiscount),
  })
  .meta({ id: 'Agreement' })

const contract = z
  .strictObject({
    ...summary,
    seller: z
      .strictObject({
        name: z.string(),
        address: z.string().nullable(),
        email: z.string().nullable(),
        taxId: z.string().nullable(),
      })
      .nullable(),
    person: z
      .strictObject({
        salt: z.string(),
        name: z.string().nullable(),
        email: z.string().nullable(),
        address: z.string().nullable(),
        ipAddress: z.string().nullable(),
        userAgent: z.string().nullable(),
      })
      .nullable()
      .meta({ description: 'Who accepted it, with the salt of its digest; null after an erasure.' }),
    erasedAt: instant.nullable(),
    terms: z
      .strictObject({ version: z.string(), url: z.string().nullable() })
      .nullable()
      .meta({ description: 'The text that was accepted.' }),
    requestOrigin: z.string().nullable(),
    agreement,
    changes: z.array(z.string()).meta({ description: 'What is different from the one it supersedes.' }),
    text: z.string().meta({
      description:
        'The contract itself as canonical JSON (RFC 8785): `hash` is the SHA-256 of its UTF-8. All else here is read from it.',
    }),
  })
  .meta({ id: 'Contract', description: 'What two parties agreed on; never changed.' })

const report = z
  .strictObject({
    customer: id('customer'),
    intact: z.boolean(),
    contracts: z.int().meta({ description: 'How many there are.' }),
    erased: z.int().meta({ description: 'Of how many the personal data were erased.' }),
    head: digest
      .nullable()
      .meta({ description: 'Of the newest one. Keep it elsewhere: it shows a lost end.' }),
    broken: z
      .strictObject({ contract: z.string(), sequence: z.int(), reason: z.string() })
      .nullable()
      .meta({ description: 'The first link that does not hold.' }),
  })
  .meta({ id: 'ContractChain' })

/** Bytes are no JSON: nothing is checked of them. */
const bytes = z.unknown() as z.ZodType<Uint8Array>

const params = z.strictObject({ id: idParam('contract') })
const tags = ['Contracts']

export const listContracts = defineRoute({
  id: 'listContracts',
  method: 'GET',
  path: '/v1/contracts',
  callers: { key: 'customers:read', user: 'own customer in query' },
  summary: 'List contracts, newest first',
  tags,
  query: z.strictObject({
    customer: idParam('customer').optional(),
    subscription: idParam('subscription').optional(),
    ...page,
  }),
  answers: { 200: listOf('ContractSummary', contractSummary) },
})

export const readContract = defineRoute({
  id: 'readContract',
  method: 'GET',
  path: '/v1/contracts/:id',
  callers: { key: 'customers:read', user: 'own contract' },
  summary: 'One contract, with the text its digest is taken of',
  tags,
  params,
  answers: { 200: contract },
  problems: ['contract_not_found'],
})

export const printContract = defineRoute({
  id: 'printContract',
  method: 'GET',
  path: '/v1/contracts/:id/document.html',
  callers: { key: 'customers:read', user: 'own contract' },
  summary: 'One contract as a page to print',
  tags,
  params,
  produces: 'text/html; charset=utf-8',
  answers: { 200: z.string() },
  problems: ['contract_not_found'],
})

export const downloadContract = defineRoute({
  id: 'downloadContract',
  method: 'GET',
  path: '/v1/contracts/:id/document.pdf',
  callers: { key: 'customers:read', user: 'own contract' },
  summary: 'One contract as a PDF',
  tags,
  params,
  produces: 'application/pdf',
  answers: { 200: bytes },
  problems: ['contract_not_found', 'overloaded'],
})

export const verifyContracts = defineRoute({
  id: 'verifyContracts',
  method: 'GET',
  path: '/v1/customers/:id/contract-chain',
  callers: { key: 'customers:read', user: 'own customer' },
  summary: "Verify a customer's contracts",
  description:
    'Walks the chain from the first contract to the newest and names the first link that does not hold.',
  tags,
  params: z.strictObject({ id: idParam('customer') }),
  answers: { 200: report },
  problems: ['customer_not_found'],
})
