import { defineCatalog } from '@lockstep/core/catalog'
import type { ContractDocument } from '@lockstep/core/contract'
import { verifyChain } from '@lockstep/core/contract-chain'
import { expect, test } from 'vitest'
import { amendContract, concludeContract } from '../src/contract/conclude.ts'
import { sha256 } from '../src/contract/digest.ts'
import { newId } from '../src/ids.ts'
import type { Trx } from '../src/postgres/connect.ts'
import { transaction } from '../src/postgres/transaction.ts'
import { readChain } from '../src/store/contracts.ts'
import { sharedInstallation } from './support/shared.ts'

const catalog = defineCatalog({
  currency: 'usd',
  seller: { name: 'Shop Ltd', terms: { version: '2026-11', url: 'https://example.com/terms' } },
  products: { app: { name: 'App' } },
  features: { seats: { name: 'Seats', kind: 'limit', unitLabel: 'seat' } },
  plans: {
    free: {
      name: 'Free',
      product: 'app',
      interval: 'month',
      prices: { fee: { kind: 'recurring', model: 'flat', amount: '0' } },
      grants: { seats: { upTo: '2' } },
    },
    team: {
      name: 'Team',
      product: 'app',
      interval: 'month',
      prices: { seats: { kind: 'recurring', model: 'perUnit', unitAmount: '2.00' } },
      grants: { seats: { upTo: '50' } },
    },
  },
})

const { installation } = await sharedInstallation(catalog)

let count = 0
async function registered(plan: string, more: object = {}) {
  count += 1
  const externalId = `user_${count}`
  const { status, body } = await installation.ask('POST', '/v1/registrations', { externalId, plan, ...more })
  return { status, externalId, ...(body as { customer: string; subscription: string; id: string }) }
}

async function chainOf(customer: string) {
  const links = await readChain(installation.deps.db, customer)
  const documents = links.map(({ text }) => JSON.parse(text) as ContractDocument)
  return { links, documents, report: verifyChain(customer, links, sha256) }
}

const AT = Date.parse('2026-03-01T00:00:00Z') / 1000
const origin = { requestOrigin: null, addons: [], discounts: [] }

/** The contract of another subscription, without a subscription. */
async function conclude(customerId: string, subscriptionId: string = newId('subscription')) {
  const { db } = installation.deps
  const { id: planVersionId } = await db
    .selectFrom('planVersion')
    .select('id')
    .where('planKey', '=', 'team')
    .executeTakeFirstOrThrow()
  return transaction(db, (trx) =>
    concludeContract(trx, { ...origin, customerId, subscriptionId, planVersionId, quantity: 1, at: AT }),
  )
}

async function payerOf(trx: Trx, subscriptionId: string): Promise<string> {
  const { customerId } = await trx
    .selectFrom('contract')
    .select('customerId')
    .where('subscriptionId', '=', subscriptionId)
    .limit(1)
    .executeTakeFirstOrThrow()
  return customerId
}

const amend = (subscriptionId: string, contractId: string, quantity: number) =>
  transaction(installation.deps.db, async (trx) =>
    amendContract(trx, {
      ...{ customerId: await payerOf(trx, subscriptionId), subscriptionId, contractId },
      changed: () => ({ quantity }),
      ...{ requestOrigin: 'console', accepted: {}, at: AT },
    }),
  )

test('a registration makes a contract of what both sides agreed on', async () => {
  const { externalId, status, customer, subscription } = await registered('team', {
    name: 'Ada Lovelace',
    email: 'ada@example.org',
    quantity: 3,
    paymentMethod: 'pm_card_visa',
    acceptance: { address: '1 Road, London', ipAddress: '192.0.2.7', userAgent: 'Firefox/140' },
  })
  expect([externalId, status]).toEqual(['user_1', 201])
  const { documents, links, report } = await chainOf(customer)
  expect(report).toMatchObject({ intact: true, contracts: 1, erased: 0 })
  expect(documents[0]).toMatchObject({
    format: 'lockstep-contract-1',
    sequence: 1,
    previous: null,
    seller: { name: 'Shop Ltd' },
    buyer: { customer },
    subscription,
    agreement: {
      plan: { key: 'team', version: 1 },
      billingCycle: { interval: 'month', intervalCount: 1 },
      quantity: 3,
      features: [{ feature: 'seats', name: 'Seats', unitLabel: 'seat', upToNanos: '50000000000' }],
      discounts: [],
    },
    acceptance: { terms: { version: '2026-11', url: 'https://example.com/terms' } },
    supersedes: null,
  })
  expect(links[0]?.person).toMatchObject({
    name: 'Ada Lovelace',
    email: 'ada@example.org',
    address: '1 Road, London',
    ipAddress: '192.0.2.7',
    userAgent: 'Firefox/140',
  })
  // Nothing personal stands in what lasts for ever.
  for (const word of ['Ada', 'ada@', 'London', '192.0.2.7', 'Firefox']) {
    expect(links[0]?.text).not.toContain(word)
  }
})

test('an older text that was accepted is the one that is recorded', async () => {
  const { customer } = await registered('free', { acceptance: { termsVersion: '2025-01' } })
  const { documents } = await chainOf(customer)
  expect(documents[0]?.acceptance.terms).toEqual({ version: '2025-01', url: null })
})

test('a refused registration leaves no contract, and nothing of who would have accepted it', async () => {
  const { status, externalId } = await registered('team', { paymentMethod: 'pm_card_chargeDeclined' })
  expect(status).toBe(402)
  const { rows } = await installation.database.pool.query(
    `select (select count(*)::int from contract k where k.customer_id = c.id) as contracts,
            (select count(*)::int from contract_acceptance a where a.customer_id = c.id) as acceptances
       from customer c where c.external_id = $1`,
    [externalId],
  )
  expect(rows).toEqual([{ contracts: 0, acceptances: 0 }])
})

test('concluding again, as after a crash, is the same contract', async () => {
  const { customer, subscription } = await registered('free')
  const { links } = await chainOf(customer)
  expect(await conclude(customer, subscription)).toBe(links[0]?.id)
  expect((await chainOf(customer)).links).toEqual(links)
})

test.each([
  "update contract set document = 'x'",
  'update contract set accepted_at = now()',
  'delete from contract',
])('a contract is never changed: %s', async (statement) => {
  const { customer } = await registered('free')
  await expect(
    installation.database.pool.query(`${statement} where customer_id = $1`, [customer]),
  ).rejects.toThrow('A contract is never changed or deleted')
  expect((await chainOf(customer)).report).toMatchObject({ intact: true, contracts: 1 })
})

test('sixteen contracts of one customer at once are one chain', async () => {
  const { customer } = await registered('free')
  await Promise.all(Array.from({ length: 16 }, () => conclude(customer)))
  const { documents, report } = await chainOf(customer)
  expect(report).toMatchObject({ intact: true, contracts: 17 })
  expect(documents.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 17 }, (_, i) => i + 1))
})

test.each([
  ['a second link after the same one', "sequence + 2, decode(repeat('aa', 32), 'hex'), previous_hash"],
  ['a second contract of one number', "sequence, decode(repeat('bb', 32), 'hex'), hash"],
  ['a link to nothing', "sequence + 1, decode(repeat('cc', 32), 'hex'), decode(repeat('dd', 32), 'hex')"],
  ['a second beginning', "1, decode(repeat('ee', 32), 'hex'), null"],
])('the database itself refuses %s', async (_, columns) => {
  const { customer } = await registered('free')
  await conclude(customer)
  await expect(
    installation.database.pool.query(
      `insert into contract (id, customer_id, subscription_id, plan_version_id, document, accepted_at, concluded_at,
                             sequence, hash, previous_hash)
       select 'contract_x', customer_id, subscription_id, plan_version_id, '', now(), now(), ${columns}
         from contract where customer_id = $1 and sequence = 2`,
      [customer],
    ),
  ).rejects.toThrow(/duplicate key|foreign key/)
})

test('an amendment takes the place of the contract in force, and says what is different', async () => {
  const { customer, subscription } = await registered('team', { quantity: 2, paymentMethod: 'pm_card_visa' })
  const [first] = (await chainOf(customer)).links
  const id = newId('contract')
  expect(await amend(subscription, id, 5)).toBe(id)
  // The same again, and one that changes nothing, are no other contract.
  expect(await amend(subscription, id, 5)).toBe(id)
  expect(await amend(subscription, newId('contract'), 5)).toBe(id)
  const { documents, report } = await chainOf(customer)
  expect(report).toMatchObject({ intact: true, contracts: 2 })
  expect(documents[1]).toMatchObject({
    id,
    agreement: { quantity: 5, plan: { key: 'team' } },
    acceptance: { requestOrigin: 'console' },
    supersedes: { contract: first?.id, changes: ['quantity: 2 → 5'] },
  })
})

test('amendments at once follow one another: each takes the place of the one before', async () => {
  const { customer, subscription } = await registered('team', { paymentMethod: 'pm_card_visa' })
  await Promise.all([2, 3, 4, 5].map((quantity) => amend(subscription, newId('contract'), quantity)))
  const { documents, report } = await chainOf(customer)
  expect(report).toMatchObject({ intact: true, contracts: 5 })
  expect(documents.map(({ supersedes }) => supersedes?.contract ?? null)).toEqual([
    null,
    ...documents.slice(0, 4).map(({ id }) => id),
  ])
})
