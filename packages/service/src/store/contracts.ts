import type { Person } from '@lockstep/core/contract'
import type { ChainLink } from '@lockstep/core/contract-chain'
import type { Instant } from '@lockstep/core/instant'
import type { Seller } from '@lockstep/core/seller'
import { sql } from 'kysely'
import type { Db, Trx } from '../postgres/connect.ts'
import { given, isOneOf } from '../postgres/given.ts'
import { grouped, inOrder } from '../postgres/grouped.ts'
import { insertRows } from '../postgres/insert-rows.ts'
import type { Row } from './schema.ts'
import { sqlTime } from './time.ts'

export type ContractRow = Row<'contract'> & {
  readonly externalId: string
  readonly person: Person | null
  readonly erasedAt: Instant | null
  /** The contract that took its place. */
  readonly supersededBy: string | null
}

function contracts(db: Db | Trx) {
  return db
    .selectFrom('contract')
    .innerJoin('customer', 'customer.id', 'contract.customerId')
    .leftJoin('contractAcceptance', 'contractAcceptance.contractId', 'contract.id')
    .leftJoin('contract as successor', 'successor.supersedes', 'contract.id')
    .selectAll('contract')
    .select([
      'customer.externalId',
      'contractAcceptance.person',
      'contractAcceptance.erasedAt',
      'successor.id as supersededBy',
    ])
}

export function readContract(db: Db | Trx, id: string): Promise<ContractRow | undefined> {
  return contracts(db).where('contract.id', '=', id).executeTakeFirst()
}

/** The one that a subscription runs by: no other took its place. */
export const readContractInForce = grouped(async (db, subscriptionIds: readonly string[]) => {
  const rows = await contracts(db)
    .where(isOneOf('contract.subscription_id', subscriptionIds))
    .where('successor.id', 'is', null)
    .execute()
  return inOrder(subscriptionIds, rows, ({ subscriptionId }) => subscriptionId)
})

/** Whether anything was agreed on for a subscription. */
export const hasContract = grouped(async (db, subscriptionIds: readonly string[]) => {
  const rows = await db
    .selectFrom('contract')
    .select('subscriptionId')
    .where(isOneOf('subscription_id', subscriptionIds))
    .execute()
  const agreed = new Set(rows.map(({ subscriptionId }) => subscriptionId))
  return subscriptionIds.map((id) => agreed.has(id))
})

/** Every document that was agreed on for a subscription, in force or not. */
export async function documentsOf(db: Db | Trx, subscriptionId: string): Promise<string[]> {
  const rows = await db
    .selectFrom('contract')
    .select('document')
    .where('subscriptionId', '=', subscriptionId)
    .execute()
  return rows.map(({ document }) => document)
}

export interface ContractFilter {
  readonly customer?: string | undefined
  readonly subscription?: string | undefined
  readonly limit: number
  readonly after?: string | undefined
}

/** Newest first. */
export function listContracts(db: Db, filter: ContractFilter): Promise<ContractRow[]> {
  let query = contracts(db)
  if (filter.customer !== undefined) query = query.where('contract.customerId', '=', filter.customer)
  if (filter.subscription !== undefined) {
    query = query.where('contract.subscriptionId', '=', filter.subscription)
  }
  if (filter.after !== undefined) query = query.where('contract.id', '<', filter.after)
  return query.orderBy('contract.id', 'desc').limit(filter.limit).execute()
}

/** A customer's contracts from the first on, as they stand. */
export async function readChain(db: Db | Trx, customerId: string): Promise<ChainLink[]> {
  const rows = await contracts(db)
    .where('contract.customerId', '=', customerId)
    .orderBy('contract.sequence')
    .execute()
  return rows.map(({ id, sequence, hash, document, person }) => ({
    id,
    sequence,
    hash: hash.toString('hex'),
    text: document,
    person,
  }))
}

/** Where a contract is added: the newest link of the customer's chain, and what was accepted of it. */
export interface ChainEnd {
  /** It is there already. */
  readonly isMade: boolean
  readonly last: { readonly sequence: number; readonly hash: Buffer } | undefined
  readonly acceptance: Pick<Acceptance, 'acceptedAt' | 'terms' | 'person'> | undefined
}

/** The customer's row must be locked ({@link lockChain}), or another link comes between. */
export function readChainEnd(trx: Trx, customerId: string, contractId: string): Promise<ChainEnd> {
  return chainEndOf(trx, { customerId, contractId })
}

const chainEndOf = grouped(
  async (trx, all: readonly { readonly customerId: string; readonly contractId: string }[]) => {
    const { rows } = await sql<{
      contractId: string
      isMade: boolean
      sequence: number | null
      hash: Buffer | null
      acceptedAt: Instant | null
      termsVersion: string | null
      termsUrl: string | null
      person: Person | null
    }>`
      select this.contract_id, c.id is not null as is_made, last.sequence, last.hash,
        a.accepted_at, a.terms_version, a.terms_url, a.person
      from ${given(
        sql`unnest(${all.map(({ customerId }) => customerId)}::text[], ${all.map(({ contractId }) => contractId)}::text[])`,
        sql`this (customer_id, contract_id)`,
      )} as this
        left join contract c on c.id = this.contract_id
        left join contract_acceptance a on a.contract_id = this.contract_id
        left join lateral (
          select sequence, hash from contract where customer_id = this.customer_id order by sequence desc limit 1
        ) last on true`.execute(trx)
    const found = new Map(rows.map((row) => [row.contractId, row]))
    return all.map(({ customerId, contractId }): ChainEnd => {
      const row = found.get(contractId)
      if (!row) throw new Error(`The chain of ${customerId} cannot be read.`)
      const { isMade, sequence, hash, acceptedAt, termsVersion: version, termsUrl: url, person } = row
      return {
        isMade,
        last: sequence === null || hash === null ? undefined : { sequence, hash },
        acceptance:
          acceptedAt === null || person === null
            ? undefined
            : { acceptedAt, person, terms: version === null ? null : { version, url } },
      }
    })
  },
)

export interface NewContract
  extends Pick<
    Row<'contract'>,
    | 'id'
    | 'customerId'
    | 'sequence'
    | 'subscriptionId'
    | 'planVersionId'
    | 'supersedes'
    | 'document'
    | 'hash'
    | 'previousHash'
  > {
  readonly acceptedAt: Instant
  readonly at: Instant
}

const insertContracts = insertRows('contract', [
  ...(['id', 'customerId', 'sequence', 'subscriptionId', 'planVersionId', 'supersedes'] as const),
  ...(['document', 'hash', 'previousHash', 'acceptedAt', 'concludedAt', 'printing'] as const),
])

/** Said by whoever concludes it: a process of an older version prints as it always did, and says nothing. */
const PRINTING = 2 as const

export const addContract = grouped(async (trx, contracts: readonly NewContract[]): Promise<undefined[]> => {
  const rows = contracts.map(({ acceptedAt, at, ...contract }) => ({
    ...contract,
    ...{ acceptedAt: sqlTime(acceptedAt), concludedAt: sqlTime(at), printing: PRINTING },
  }))
  await insertContracts(trx, rows)
  return contracts.map(() => undefined)
})

export interface Acceptance {
  readonly contractId: string
  readonly customerId: string
  readonly acceptedAt: Instant
  readonly terms: Seller['terms']
  readonly person: Person
}

const insertAcceptances = insertRows(
  'contractAcceptance',
  ['contractId', 'customerId', 'acceptedAt', 'termsVersion', 'termsUrl', 'person'],
  sql`on conflict (contract_id) do nothing`,
)

/** Once for a contract: what was recorded first stands. */
export const addAcceptance = grouped(
  async (trx, acceptances: readonly Acceptance[]): Promise<undefined[]> => {
    const rows = acceptances.map(({ acceptedAt, terms, ...rest }) => ({
      ...rest,
      ...{
        acceptedAt: sqlTime(acceptedAt),
        termsVersion: terms?.version ?? null,
        termsUrl: terms?.url ?? null,
      },
    }))
    await insertAcceptances(trx, rows)
    return acceptances.map(() => undefined)
  },
)

/** Of a registration that came to nothing: what was accepted for it is nobody's business any more. */
export async function removeAcceptance(trx: Trx, contractId: string): Promise<void> {
  await trx
    .deleteFrom('contractAcceptance')
    .where('contractId', '=', contractId)
    .where(({ not, exists, selectFrom }) =>
      not(exists(selectFrom('contract').select('contract.id').where('contract.id', '=', contractId))),
    )
    .execute()
}

/**
 * Waits for whoever writes this customer's chain; the lock lasts as long as the transaction. Rows that
 * only refer to the customer do not wait.
 */
export const lockChain = grouped(async (trx, customerIds: readonly string[]): Promise<undefined[]> => {
  await sql`
    select from customer where ${isOneOf('id', customerIds)} order by id for no key update`.execute(trx)
  return customerIds.map(() => undefined)
})
