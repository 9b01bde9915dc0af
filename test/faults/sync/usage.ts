import type { Period } from '@lockstep/core/period'
import type { BillingWorld, Payer } from '../../../packages/service/test/support/billing-world.ts'
import type { Random } from '../../support/random.ts'
import { type Meter, meters, type Used } from './wares.ts'

/** More than have a line of their own in a period. */
const CROWD = 110

/** What a customer of the matrix uses, written down apart from the service that is told of it. */
export function newUsage(world: BillingWorld, payer: Payer, random: Random) {
  const events: { meter: Meter; quantity: bigint; at: number }[] = []

  async function use(meter: Meter, quantity: number, time: string, region: string): Promise<void> {
    events.push({ meter, quantity: BigInt(quantity), at: Math.floor(Date.parse(time) / 1000) })
    await world.use(payer, String(quantity), time, meter, meter === 'traffic' ? { region } : {})
  }

  return {
    /** Up to three events, of a day that begins so: `2026-02-0`. */
    async some(day: string): Promise<void> {
      for (let left = 1 + random.below(3); left > 0; left -= 1) {
        const time = `${day}${1 + random.below(2)}T12:00:00Z`
        await use(random.pick(meters), 1 + random.below(60), time, random.pick(['eu', 'us', '']))
      }
    },

    /** In the last second of a period, and in the first of the next one if there is one. */
    async aroundEdge(edge: number, { hasNext }: { readonly hasNext: boolean }): Promise<void> {
      const before = new Date(edge * 1000 - 1).toISOString()
      await use(random.pick(meters), 1 + random.below(60), before, 'eu')
      if (hasNext) await use('seconds', 1 + random.below(60), new Date(edge * 1000).toISOString(), 'eu')
    },

    /** Of so many regions that not each has a line. */
    async crowd(time: string): Promise<void> {
      for (let n = 0; n < CROWD; n += 1) await use('traffic', 1 + (n % 9), time, `region ${n}`)
    },

    in({ start, end }: Period): Used {
      const sum = (meter: Meter) =>
        events
          .filter((event) => event.meter === meter && start <= event.at && event.at < end)
          .reduce((total, { quantity }) => total + quantity, 0n)
      return { seconds: sum('seconds'), requests: sum('requests'), traffic: sum('traffic') }
    },

    /** Events of no period among these. */
    outside: (periods: readonly Period[]) =>
      events.filter(({ at }) => !periods.some(({ start, end }) => start <= at && at < end)).length,
  }
}

export type CustomerUsage = ReturnType<typeof newUsage>
