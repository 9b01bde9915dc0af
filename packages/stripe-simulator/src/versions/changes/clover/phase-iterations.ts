import { invalid } from '../../../errors.ts'
import { change } from '../../change.ts'
import type { Given } from '../../given.ts'

/** `iterations` counts intervals of the phase's first price. */
function durations(given: Given, phases = 'phases'): void {
  for (const phase of given.entries(phases)) {
    const iterations = given.take(`${phase}[iterations]`)
    if (iterations === undefined) continue
    if (typeof iterations !== 'string' || !/^[1-9]\d{0,4}$/.test(iterations)) {
      throw invalid('Invalid integer', `${phase}[iterations]`, 'parameter_invalid_integer')
    }
    const rhythm = rhythmOf(given, given.entries(`${phase}[items]`)[0] ?? `${phase}[items][0]`)
    given.set(`${phase}[duration][interval]`, rhythm.interval)
    given.set(`${phase}[duration][interval_count]`, String(Number(iterations) * rhythm.interval_count))
  }
}

function rhythmOf(given: Given, item: string): { interval: string; interval_count: number } {
  const price = given.get(`${item}[price]`) ?? given.get(`${item}[plan]`)
  const known = given.world.prices.get(typeof price === 'string' ? price : null)?.recurring
  if (known != null) return known
  // Inline prices; what is wrong with either, the route refuses.
  const inline = (name: string, otherwise: string) => {
    const value = given.get(`${item}[price_data][recurring][${name}]`)
    return typeof value === 'string' ? value : otherwise
  }
  return { interval: inline('interval', 'month'), interval_count: Number(inline('interval_count', '1')) }
}

export const phaseIterations = change({
  since: '2025-09-30.clover',
  what: 'Phases of schedules last a duration; they could count iterations of their price.',
  source: 'https://docs.stripe.com/changelog/clover/2025-09-30/remove-iterations',
  accept: {
    'POST /v1/subscription_schedules': (given) => durations(given),
    'POST /v1/subscription_schedules/:id': (given) => durations(given),
    'POST /v1/invoices/create_preview': (given) => durations(given, 'schedule_details[phases]'),
  },
})
