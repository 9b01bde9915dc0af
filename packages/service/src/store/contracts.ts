import type { Person } from '@lockstep/core/contract'
import type { ChainLink } from '@lockstep/core/contract-chain'
import type { Instant } from '@lockstep/core/instant'
import type { Seller } from '@lockstep/core/seller'
import { sql } from 'kysely'
import type { Db, Trx } from '../postgres/connect.ts'
import { grouped, isOneOf } from '../postgres/grouped.ts'
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
export function readContractInForce(db: Db | Trx, subscriptionId: string): Promise<ContractRow | undefined> {
  return contracts(db)
    .where('contract.subscriptionId', '=', subscriptionId)
    .where('successor.id', 'is', null)
    .executeTakeFirst()
}

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
export async function readChainEnd(trx: Trx, customerId: string, contractId: string): Promise<ChainEnd> {
  const { rows } = await sql<{
    isMade: boolean
    sequence: number | null
    hash: Buffer | null
    acceptedAt: Instant | null
    termsVersion: string | null
    termsUrl: string | null
    person: Person | null
  }>`
    select c.id is not null as is_made, last.sequence, last.hash,
      a.accepted_at, a.terms_version, a.terms_url, a.person
    from (select) this
      left join contract c on c.id = ${contractId}
      left join contract_acceptance a on a.contract_id = ${contractId}
      left join lateral (
        select sequence, hash from contract where customer_id = ${customerId} order by sequence desc limit 1
      ) last on true`.execute(trx)
  const [row] = rows
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
}

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

export async function addContract(trx: Trx, { acceptedAt, at, ...contract }: NewContract): Promise<void> {
  await trx
    .insertInto('contract')
    .values({ ...contract, acceptedAt: sqlTime(acceptedAt), concludedAt: sqlTime(at) })
    .execute()
}

export interface Acceptance {
  readonly contractId: string
  readonly customerId: string
  readonly acceptedAt: Instant
  readonly terms: Seller['terms']
  readonly person: Person
}

/** Once for a contract: what was recorded first stands. */
export async function addAcceptance(trx: Trx, acceptance: Acceptance): Promise<void> {
  const { contractId, customerId, acceptedAt, terms, person } = acceptance
  await trx
    .insertInto('contractAcceptance')
    .values({
      contractId,
      customerId,
      acceptedAt: sqlTime(acceptedAt),
      termsVersion: terms?.version ?? null,
      termsUrl: terms?.url ?? null,
      person: JSON.stringify(person),
    })
    .onConflict((conflict) => conflict.column('contractId').doNothing())
    .execute()
}

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
export async function lockChain(trx: Trx, customerId: string): Promise<void> {
  await sql`select from customer where id = ${customerId} for no key update`.execute(trx)
}
