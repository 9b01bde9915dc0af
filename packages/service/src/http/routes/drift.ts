import * as api from '@lockstep/api/drift'
import { formatInstant } from '@lockstep/core/instant'
import { inBackground } from '../../provider/stripe/limiter.ts'
import type { DriftReport } from '../../workflow/drift/drift.ts'
import { findDrift } from '../../workflow/drift/find.ts'
import { repairDrift } from '../../workflow/drift/repair.ts'
import type { LookDeps } from '../../workflow/look.ts'
import { type App, route } from '../route.ts'

/** Whether both sides say the same, and what to do where they do not. */
export function driftRoutes(app: App, parts: LookDeps): void {
  const shown = ({ looked, underWay, drifts }: DriftReport) => ({
    checkedAt: formatInstant(parts.clock.now()),
    looked,
    underWay,
    drifts: drifts.map((drift) => ({ ...drift, differences: [...drift.differences] })),
  })
  // As long as the account is large: whoever waits for a registration goes first.
  const find = () => inBackground(() => findDrift(parts))

  route(app, api.findDrift)(async () => ({ status: 200, body: shown(await find()) }))

  route(
    app,
    api.repairDrift,
  )(async ({ body: { dryRun } }) => {
    if (dryRun) {
      const { drifts, ...report } = shown(await find())
      const repairs = drifts
        .filter(({ repair }) => repair !== null)
        .map((drift) => ({ drift, refused: null }))
      const left = { ...report, drifts: drifts.filter(({ repair }) => repair === null) }
      return { status: 200, body: { dryRun, repairs, left } }
    }
    const { repairs, left } = await inBackground(() => repairDrift(parts))
    const done = repairs.map(({ drift, refused }) => ({
      drift: { ...drift, differences: [...drift.differences] },
      refused,
    }))
    return { status: 200, body: { dryRun, repairs: done, left: shown(left) } }
  })
}
