import * as api from '@lockstep/api/imports'
import { formatInstant, type Instant } from '@lockstep/core/instant'
import { type Currency, money } from '@lockstep/core/money'
import {
  cursorsOf,
  type ImportCursor,
  type ImportRun,
  lastTotals,
  leftOf,
  linkedCount,
  listImports,
  refusalsOf,
} from '../../store/imports.ts'
import { pageOf } from '../../store/page.ts'
import { comparedTypes } from '../../workflow/import/compared-pages.ts'
import { beginImport, existingImport, type ImportDeps } from '../../workflow/import/import-account.ts'
import type { Proof } from '../../workflow/import/prove.ts'
import { moneyToApi } from '../money-to-api.ts'
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
  const [cursors, refusals, left, last, linked] = await Promise.all([
    cursorsOf(db, run.id),
    refusalsOf(db, run.id, MOST_NAMED),
    leftOf(db, run.id, MOST_NAMED),
    lastTotals(db, provider),
    linkedCount(db, provider, 'subscription'),
  ])
  const totals = new Map([...last, ...comparedTypes.map((type) => [type, linked] as const)])
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
      metered: cursor.metered,
      expected: totals.get(cursor.type) ?? null,
      endedAt: time(cursor.endedAt),
    })),
    secondsLeft: run.endedAt === null ? secondsLeft(run, cursors, totals, clock.now()) : 0,
    refusals: refusals.map(({ type, providerId, code, detail }) => ({ type, providerId, code, detail })),
    left: left.map(({ type, providerId, reason }) => ({ type, providerId, reason })),
    proof: run.proof === null ? null : proofToApi(run.proof as Proof),
  }
}

/**
 * Of lists by how many there were last time, as they do not say how long they are; of what is behind them, at its own pace,
 * by how many are linked.
 */
function secondsLeft(
  { createdAt }: ImportRun,
  cursors: readonly ImportCursor[],
  totals: ReadonlyMap<string, number>,
  now: Instant,
): number | null {
  const comparing = cursors.filter(({ type }) => isCompared(type)).at(-1)
  if (comparing) {
    const looked = sum(cursors.filter(({ type }) => isCompared(type)).map((cursor) => cursor.looked))
    const expected = sum(comparedTypes.map((type) => totals.get(type) ?? 0))
    return remaining({ looked, expected }, comparing.looked, now - comparing.startedAt)
  }
  const looked = sum(cursors.map((cursor) => cursor.looked))
  const expected = sum([...totals].map(([type, count]) => (isCompared(type) ? 0 : count)))
  return remaining({ looked, expected }, looked, now - createdAt)
}

/** At the pace of so many in so many seconds. */
function remaining(
  { looked, expected }: { readonly looked: number; readonly expected: number },
  paced: number,
  seconds: number,
): number | null {
  if (paced === 0 || looked > expected) return null
  return Math.ceil(((expected - looked) * seconds) / paced)
}

const isCompared = (type: string) => (comparedTypes as readonly string[]).includes(type)
const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0)

function proofToApi({ mrr, unequalRevenue, billedThere, usage, ...proof }: ShownProof) {
  return {
    ...proof,
    mrr: mrr.map(bothSides),
    ...(unequalRevenue && { unequalRevenue: unequalRevenue.map(bothSides) }),
    ...(billedThere && {
      billedThere: billedThere.map(({ currency, month, ...item }) => ({
        ...item,
        month: moneyToApi(money(BigInt(month), currency)),
      })),
    }),
    ...(usage && { usage: { ...usage, amounts: usage.amounts.map(bothSides) } }),
  }
}

/** Amounts are kept in minor units, as text. */
interface Kept {
  readonly currency: Currency
  readonly there: string
  readonly here: string
}

function bothSides<Row extends Kept>({ currency, there, here, ...one }: Row) {
  const shown = (minor: string) => moneyToApi(money(BigInt(minor), currency))
  return { ...one, there: shown(there), here: shown(here) }
}

/** One by a version of before names nobody's revenue, or says nothing of usage. */
type ShownProof = Omit<Proof, Later> & Partial<Pick<Proof, Later>>
type Later = 'unequalRevenue' | 'billedThere' | 'billedThereCount' | 'usage'
