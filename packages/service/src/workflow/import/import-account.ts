import { Problem } from '@lockstep/core/problem'
import { newId } from '../../ids.ts'
import { newHolder } from '../../postgres/presence.ts'
import { transaction } from '../../postgres/transaction.ts'
import { type ImportedType, importedTypes } from '../../provider/stripe/account-listing.ts'
import { inBackground } from '../../provider/stripe/limiter.ts'
import { addImport, endImport, type ImportRun, importOfOperation, readImport } from '../../store/imports.ts'
import { nextObservation } from '../../store/provider-objects.ts'
import { addWorkflow } from '../../store/workflows.ts'
import type { WorkflowKind } from '../journal.ts'
import type { LookDeps } from '../look.ts'
import type { Workflows } from '../workflows.ts'
import { carryUsage } from './carry-usage.ts'
import { lookAgain } from './look-again.ts'
import { prove } from './prove.ts'
import { readAll } from './read-account.ts'

const IMPORT_ACCOUNT = 'import-account'

interface ImportInput {
  readonly importId: string
  readonly dryRun: boolean
}

/**
 * Takes up a whole account: reads everything in the provider's lists, makes ours of it, and proves at the end that
 * both sides say the same. Nothing is changed at the provider. A kind of object is a step, and each page of it moves
 * a mark, so that a crash goes on where it was. Webhooks may come all the while: each object is taken up once,
 * whoever meets it first, and of two answers the newer one stands.
 */
export function importKind(deps: LookDeps): WorkflowKind {
  return {
    kind: IMPORT_ACCOUNT,
    async run(step, { input }) {
      const { importId, dryRun } = input as ImportInput
      // Journaled as text: a number of that size has no place in JSON.
      const since = await step('begin with usage', async () => `${await nextObservation(deps.db)}`)
      for (const type of importedTypes)
        await step(stepOf(type), () => inBackground(() => readAll(deps, { importId, type, dryRun })))
      if (!dryRun) await step('look again', () => inBackground(() => lookAgain(deps, importId)))
      if (!dryRun) await step('carry usage over', () => inBackground(() => carryUsage(deps, BigInt(since))))
      await step('prove', async () => {
        const proof = dryRun ? null : await prove(deps, { importId, since: BigInt(since) })
        await endImport(deps.db, importId, proof, deps.clock.now())
      })
    },
    neverParked: true,
    // Else it would be under way for good, and no other could begin.
    async rolledBack(trx, { input }) {
      await endImport(trx, (input as ImportInput).importId, null, deps.clock.now())
    },
  }
}

const stepOf = (type: ImportedType): string => `read every ${type}`

export interface ImportDeps extends LookDeps {
  readonly workflows: Workflows
}

/** Begins an import. The same operation begins it once; a second one of the account waits for the first to end. */
export async function beginImport(
  { db, clock, provider, workflows }: ImportDeps,
  { dryRun, operation }: { readonly dryRun: boolean; readonly operation: string },
): Promise<ImportRun> {
  const known = await importOfOperation(db, operation)
  if (known) return known
  const [id, workflowId, holder] = [newId('import'), newId('workflow'), newHolder()]
  const isBegun = await transaction(db, async (trx) => {
    const at = clock.now()
    const input: ImportInput = { importId: id, dryRun }
    await addWorkflow(trx, { id: workflowId, kind: IMPORT_ACCOUNT, subjectId: id, input, holder, at })
    if (!(await addImport(trx, provider, { id, dryRun, workflowId, operation, at }))) throw new UnderWay()
    return true
  }).catch((error: unknown) => {
    if (error instanceof UnderWay) return false
    throw error
  })
  if (!isBegun) {
    const twin = await importOfOperation(db, operation)
    if (twin) return twin
    throw new Problem('import_in_progress', 'An import of this account is under way; see `GET /v1/imports`.')
  }
  workflows.begin(workflowId, holder)
  return existingImport({ db }, id)
}

export async function existingImport({ db }: Pick<LookDeps, 'db'>, id: string): Promise<ImportRun> {
  const run = await readImport(db, id)
  if (!run) throw new Problem('import_not_found', `There is no import ${id}.`)
  return run
}

/** Takes the workflow back with it. */
class UnderWay extends Error {}
