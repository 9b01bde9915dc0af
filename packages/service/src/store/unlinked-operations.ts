import { Problem } from '@lockstep/core/problem'
import type { Db, Trx } from '../postgres/connect.ts'
import { type Operation, problemJson } from './operations.ts'

/**
 * What a call made was unlinked by a person: it is not ours any more, and the call counts as refused. Told again,
 * another object is made, by another operation: the provider would answer the old one from memory, and what it made
 * still stands there under its name.
 */
export async function settleUnlinked(
  trx: Trx,
  { kind, subjectId }: Pick<Operation, 'kind' | 'subjectId'>,
  objectId: string,
): Promise<void> {
  const problem = new Problem('mapping_not_found', `${objectId} was unlinked from ${subjectId}.`)
  await trx
    .updateTable('operation')
    .set({ state: 'refused', problem: problemJson(problem) })
    .where('kind', '=', kind)
    .where('subjectId', '=', subjectId)
    .where('providerObjectId', '=', objectId)
    .where('state', '=', 'succeeded')
    .execute()
}

/** The operation that makes an object of ours at the provider: `first`, and a new one after each unlinking. */
export async function operationAfterUnlinking(
  db: Db,
  { kind, subjectId }: Pick<Operation, 'kind' | 'subjectId'>,
  first: string,
): Promise<string> {
  const { unlinked } = await db
    .selectFrom('operation')
    .select((eb) => eb.fn.countAll<number>().as('unlinked'))
    .where('kind', '=', kind)
    .where('subjectId', '=', subjectId)
    .where('state', '=', 'refused')
    // Nothing was made by those that the provider refused.
    .where('providerObjectId', 'is not', null)
    .executeTakeFirstOrThrow()
  return Number(unlinked) === 0 ? first : `${first}/again/${unlinked}`
}
