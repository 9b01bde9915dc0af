import * as api from '@lockstep/api/meters'
import { formatInstant } from '@lockstep/core/instant'
import type { Meter } from '@lockstep/core/meter'
import { Problem } from '@lockstep/core/problem'
import type { Db } from '../../postgres/connect.ts'
import { listMeters, meterOf, readMeter } from '../../store/meters.ts'
import { pageOf } from '../../store/page.ts'
import type { Row } from '../../store/schema.ts'
import { type App, route } from '../route.ts'

/** What is measured. */
export function meterRoutes(app: App, { db }: { readonly db: Db }): void {
  route(
    app,
    api.listMeters,
  )(async ({ query }) => {
    const page = await pageOf(query.limit, async (limit) =>
      (await listMeters(db, { ...query, limit })).map((meter) => ({ id: meter.key, meter })),
    )
    return { status: 200, body: { ...page, data: page.data.map(({ meter }) => meterToApi(meter)) } }
  })

  route(
    app,
    api.readMeter,
  )(async ({ params }) => {
    const meter = await readMeter(db, params.key)
    if (!meter) throw new Problem('meter_not_found', `There is no meter ${params.key}.`)
    return { status: 200, body: meterToApi(meter) }
  })
}

function meterToApi(row: Row<'meter'>) {
  const { filter, dimensions, ...meter } = meterOf(row)
  return {
    ...meter,
    ...(filter && { filter: copyOf(filter) }),
    ...(dimensions && { dimensions: [...dimensions] }),
    createdAt: formatInstant(row.createdAt),
  }
}

const copyOf = (filter: NonNullable<Meter['filter']>) =>
  Object.fromEntries(Object.entries(filter).map(([name, values]) => [name, [...values]]))
