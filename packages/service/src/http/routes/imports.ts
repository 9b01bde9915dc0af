import * as api from '@lockstep/api/imports'
import { formatInstant, type Instant } from '@lockstep/core/instant'
import {
  cursorsOf,
  type ImportCursor,
  type ImportRun,
  lastTotals,
  leftOf,
  listImports,
  refusalsOf,
} from '../../store/imports.ts'
import { pageOf } from '../../store/page.ts'
import { beginImport, existingImport, type ImportDeps } from '../../workflow/import/import-account.ts'
import type { Proof } from '../../workflow/import/prove.ts'
import { type App, route } from '../route.ts'
import { problemToApi } from './invoice-to-api.ts'

const MOST_NAMED = 100

/** The taking up of the provider's whole account. */
export function importRoutes(app: App, parts: ImportDeps): void {
  route(
    app,
    api.createImport,
  )(async ({ body: { dryRun }, operation }) => {
    const run = await beginImport(parts, { dryRun, operation })
    return { status: 202, body: await shown(parts, run) }
  })

  route(
    app,
    api.readImport,
  )(async ({ params }) => ({ status: 200, body: await shown(parts, await existingImport(parts, params.id)) }))

  route(
    app,
    api.listImports,
  )(async ({ query: { limit, after } }) => {
    const page = await pageOf(limit, (most) => listImports(parts.db, { limit: most, after }))
    return { status: 200, body: { ...page, data: page.data.map(summary) } }
  })
}

const time = (at: Instant | null) => (at === null ? null : formatInstant(at))

function summary({ id, dryRun, state, problem, createdAt, endedAt }: ImportRun) {
  const hasFailed = state === 'rolledBack'
  return {
    id,
    dryRun,
    state: endedAt === null ? ('running' as const) : hasFailed ? ('failed' as const) : ('completed' as const),
    problem: endedAt === null || hasFailed ? problemToApi(problem) : null,
    createdAt: formatInstant(createdAt),
    endedAt: time(endedAt),
  }
}

async function shown({ db, clock, provider }: ImportDeps, run: ImportRun) {
  const [cursors, refusals, left, totals] = await Promise.all([
    cursorsOf(db, run.id),
    refusalsOf(db, run.id, MOST_NAMED),
    leftOf(db, run.id, MOST_NAMED),
    lastTotals(db, provider),
  ])
  return {
    ...summary(run),
    progress: cursors.map((cursor) => ({
      type: cursor.type,
      looked: cursor.looked,
      made: cursor.made,
      known: cursor.known,
      left: cursor.leftAlone,
      foreign: cursor.foreignObjects,
      refused: cursor.refused,
      expected: totals.get(cursor.type) ?? null,
      endedAt: time(cursor.endedAt),
    })),
    secondsLeft: run.endedAt === null ? secondsLeft(cursors, totals, clock.now() - run.createdAt) : 0,
    refusals: refusals.map(({ type, providerId, code, detail }) => ({ type, providerId, code, detail })),
    left: left.map(({ type, providerId, reason }) => ({ type, providerId, reason })),
    proof: run.proof as Proof | null,
  }
}

/** By how many there were last time; lists do not say how long they are. */
function secondsLeft(
  cursors: readonly ImportCursor[],
  totals: ReadonlyMap<string, number>,
  seconds: number,
): number | null {
  const expected = [...totals.values()].reduce((sum, count) => sum + count, 0)
  const looked = cursors.reduce((sum, cursor) => sum + cursor.looked, 0)
  if (looked === 0 || looked > expected) return null
  return Math.ceil(((expected - looked) * seconds) / looked)
}
