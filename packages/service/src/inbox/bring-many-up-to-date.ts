import type { Instant } from '@lockstep/core/instant'
import type { Trx } from '../postgres/connect.ts'
import { forMany } from '../postgres/for-many.ts'
import { confirmObject, type KnownObject, noteEvent } from '../store/provider-objects.ts'
import { makeReady, type ObserveDeps, type Ready } from '../workflow/observe.ts'
import { type Group, newestOf, settle, shownBy, type Way, wayOf } from './group.ts'

/** Objects of one transaction. The more there are, the more is done again where one of them cannot be written. */
const MOST = 100

interface Done {
  readonly group: Group
  /** A subscription whose lines should be sent now. */
  readonly syncSubscription: string | undefined
}

interface Result {
  readonly done: readonly Done[]
  /** They need a transaction of their own, or Stripe. */
  readonly left: readonly Group[]
}

/**
 * Brings objects of one kind up to date that were seen before, as {@link bringUpToDate} does each alone, but many in one
 * transaction: where nothing but a payload or a word is to be written, what an event costs is mostly its share of a statement.
 * What fails here is left, and fails alone: one bad event delays nobody, and nobody is blamed for another's.
 */
export async function bringManyUpToDate(
  deps: ObserveDeps,
  groups: readonly Group[],
  known: (group: Group) => KnownObject | undefined,
): Promise<Result> {
  const done: Done[] = []
  const left: Group[] = []
  const seenBefore = groups.filter((group) => known(group) !== undefined)
  left.push(...groups.filter((group) => known(group) === undefined))
  for (let i = 0; i < seenBefore.length; i += MOST) {
    const some = await together(deps, seenBefore.slice(i, i + MOST), known)
    done.push(...some.done)
    left.push(...some.left)
  }
  return { done, left }
}

interface Task {
  readonly group: Group
  readonly way: Way
  /** Only where the payload is applied. */
  readonly ready: Ready | undefined
}

async function together(
  deps: ObserveDeps,
  groups: readonly Group[],
  known: (group: Group) => KnownObject | undefined,
): Promise<Result> {
  const tasks = oneOfEachCustomer(
    await Promise.all(
      groups.map(async (group) => {
        const way = wayOf(group, known(group))
        return { group, way, ready: way === 'applied' ? await readyOrNot(deps, group) : undefined }
      }),
    ),
  )
  const at = deps.clock.now()
  const done = new Map<Task, Done>()
  const left = await forMany(deps.db, tasks, async (trx, task) => {
    done.set(task, { group: task.group, syncSubscription: await bring(trx, task, at) })
  })
  for (const task of left) done.delete(task)
  const isDone = new Set([...done.values()].map(({ group }) => group))
  return { done: [...done.values()], left: groups.filter((group) => !isDone.has(group)) }
}

/** Whatever it fails by, it fails by again when it is done alone, where that is told. */
async function readyOrNot(deps: ObserveDeps, group: Group): Promise<Ready | undefined> {
  const observed = shownBy(group)
  return observed && makeReady(deps, observed).catch(() => undefined)
}

/** Two objects of one customer may belong to each other, and locks do not part them inside a transaction. */
function oneOfEachCustomer(tasks: readonly Task[]): Task[] {
  const customers = new Set<string>()
  return tasks.filter(({ way, ready }) => {
    if (way === 'covered' || way === 'confirmed') return true
    if (!ready || customers.has(ready.customerId)) return false
    customers.add(ready.customerId)
    return true
  })
}

/** It cannot be written together with others. */
class Alone extends Error {}

async function bring(trx: Trx, { group, way, ready }: Task, at: Instant): Promise<string | undefined> {
  const { type, id } = group
  const settling = settle(trx, group, way, at)
  if (way === 'covered') {
    await Promise.all([noteEvent(trx, { type, id, created: newestOf(group).created }), settling])
    return undefined
  }
  if (way === 'confirmed') {
    const observed = shownBy(group)
    const [same] = await Promise.all([observed && confirmObject(trx, { ...observed, id, at }), settling])
    if (!same) throw new Alone()
    return undefined
  }
  const [outcome] = await Promise.all([ready?.write(trx), settling])
  if (outcome?.kind !== 'applied') throw new Alone()
  return outcome.syncSubscription
}
