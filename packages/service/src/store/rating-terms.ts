import type { Meter } from '@lockstep/core/meter'
import { type Plan, planFromJson } from '@lockstep/core/plan'
import type { PriceJson } from '@lockstep/core/price'
import type { Db, Trx } from '../postgres/connect.ts'
import { meterOf } from './meters.ts'

/** By what a period is rated: one plan version, and the meters that its prices name. */
export interface RatingTerms {
  readonly plan: Plan
  readonly meters: readonly Meter[]
}

/** The terms of some plan versions, by the version's id. */
export async function readTerms(
  db: Db | Trx,
  planVersionIds: readonly string[],
): Promise<ReadonlyMap<string, RatingTerms>> {
  if (planVersionIds.length === 0) return new Map()
  const ids = [...new Set(planVersionIds)]
  const rows = await db
    .selectFrom('planVersion')
    .innerJoin('price', 'price.planVersionId', 'planVersion.id')
    .leftJoin('meter', 'meter.key', 'price.meterKey')
    .selectAll('planVersion')
    .select([
      'price.definition',
      'meter.key as meterKey',
      'meter.name as meterName',
      'meter.unitLabel',
      'meter.aggregation',
      'meter.rules',
    ])
    .where('planVersion.id', 'in', ids)
    .orderBy('price.position')
    .execute()

  const terms = new Map<string, RatingTerms>()
  for (const id of ids) {
    const of = rows.filter((row) => row.id === id)
    const [version] = of
    if (!version) throw new Error(`There is no plan version ${id}.`)
    const meters = new Map<string, Meter>()
    for (const { meterKey: key, meterName: name, unitLabel, aggregation, rules } of of) {
      if (key === null || name === null || unitLabel === null || aggregation === null || rules === null)
        continue
      meters.set(key, meterOf({ key, name, unitLabel, aggregation, rules }))
    }
    const plan = planFromJson({
      ...version,
      key: version.planKey,
      product: version.productKey,
      prices: of.map(({ definition }) => definition as PriceJson),
    })
    terms.set(id, { plan, meters: [...meters.values()] })
  }
  return terms
}
