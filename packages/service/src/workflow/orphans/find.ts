import { judgeOrphan, type Orphan, type Verdict } from '@lockstep/core/orphan'
import type { CallDeps } from '../../provider/stripe/call.ts'
import { type OwnObject, ownObjects, readOwnObject } from '../../provider/stripe/own-objects.ts'
import { isMissing } from '../../provider/stripe/problems.ts'
import { wasCharged } from '../../provider/stripe/subscriptions.ts'
import {
  type closeOrphan,
  linkedIds,
  type Maker,
  makerOf,
  openOrphans,
  sweptTo,
  whoseOf,
} from '../../store/orphans.ts'

export type FoundOrphan = OwnObject &
  Verdict & {
    /** Whose it is, where that is known here. */
    readonly whose: Awaited<ReturnType<typeof whoseOf>>
  }

export interface Sweep {
  /** Objects with our name that were looked at. */
  readonly looked: number
  readonly orphans: readonly FoundOrphan[]
  /** What was open and is none any more: linked meanwhile, or gone at the provider. */
  readonly closed: readonly ClosedOrphan[]
}

export type ClosedOrphan = Parameters<typeof closeOrphan>[2]

/** How far back a sweep looks before where the last one ended: calls that were under way, clocks that differ. */
const OVERLAP_SECONDS = 2 * 86_400

type FindDeps = Pick<CallDeps, 'db' | 'provider'>

/**
 * Every object that carries our name and that no row of ours points to, each with what should become
 * of it. Looks at what was made since the last sweep and at what was left open then; changes nothing.
 */
export async function findOrphans(deps: FindDeps): Promise<Sweep> {
  const last = await sweptTo(deps.db)
  const found = new Map<string, FoundOrphan>()
  const closed: ClosedOrphan[] = []
  let looked = 0
  const judge = async (objects: readonly OwnObject[]) => {
    looked += objects.length
    for (const orphan of await judgeUnlinked(deps, objects)) {
      const key = `${orphan.type} ${orphan.id}`
      if (!found.has(key)) found.set(key, orphan)
    }
  }
  for await (const page of ownObjects(deps, last === null ? null : last - OVERLAP_SECONDS)) await judge(page)
  for (const { providerType, providerId } of await openOrphans(deps.db, deps.provider)) {
    if (found.has(`${providerType} ${providerId}`)) continue
    const object = await readOwnObject(deps, providerType, providerId).catch(undefinedIfGone)
    if (object) await judge([object])
    if (found.has(`${providerType} ${providerId}`)) continue
    const end = object
      ? ({ state: 'adopted', reason: 'Our row is linked to it.' } as const)
      : ({ state: 'left', reason: 'It is gone at the provider.' } as const)
    closed.push({ providerType, providerId, ...end })
  }
  return { looked, orphans: [...found.values()], closed }
}

/** Of these objects of ours, those that no row points to, each with what should become of it. */
export async function judgeUnlinked(deps: FindDeps, objects: readonly OwnObject[]): Promise<FoundOrphan[]> {
  const orphans: FoundOrphan[] = []
  for (const object of await unlinked(deps, objects)) {
    const whose = await whoseOf(deps.db, deps.provider, object.entityId, object.customerId)
    orphans.push({ ...object, whose, ...judgeOrphan(await stateOf(deps, object)) })
  }
  return orphans
}

async function unlinked({ db, provider }: FindDeps, objects: readonly OwnObject[]): Promise<OwnObject[]> {
  const missing: OwnObject[] = []
  for (const type of new Set(objects.map((object) => object.type))) {
    const ofType = objects.filter((object) => object.type === type)
    const linked = await linkedIds(db, provider, type, ofType)
    missing.push(...ofType.filter(({ id }) => !linked.has(id)))
  }
  return missing
}

async function stateOf(deps: FindDeps, object: OwnObject): Promise<Orphan> {
  const { type, id, entityId, operation, live, paid } = object
  const maker = entityId === null ? undefined : await makerOf(deps.db, type, entityId, operation)
  const workflow = workflows[maker?.workflow ?? 'none']
  const mayBeCharged = type === 'subscription' && live && workflow === 'undone'
  const charged = paid || (mayBeCharged && (await wasCharged(deps, id)))
  return { subject: subjectOf(maker), workflow, live, charged, removable: type !== 'customer' }
}

function subjectOf(maker: Maker | undefined): Orphan['subject'] {
  if (!maker?.isKnown) return 'unknown'
  return maker.linkedTo === null ? 'unlinked' : 'linked_elsewhere'
}

const workflows = {
  none: 'none',
  running: 'underWay',
  requiresAction: 'underWay',
  compensating: 'underWay',
  parked: 'parked',
  completed: 'completed',
  rolledBack: 'undone',
} as const satisfies Record<NonNullable<Maker['workflow']> | 'none', Orphan['workflow']>

function undefinedIfGone(error: unknown): undefined {
  if (error instanceof Error && isMissing(error.cause)) return undefined
  throw error
}
