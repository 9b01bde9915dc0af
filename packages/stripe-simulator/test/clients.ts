import type Stripe from 'stripe'

/** The releases of the client that the simulator is driven with, and the version that each of them pins. */
export const releases = {
  17: '2025-02-24.acacia',
  18: '2025-08-27.basil',
  19: '2025-10-29.clover',
  20: '2026-02-25.clover',
  21: '2026-03-25.dahlia',
  22: '2026-08-26.dahlia',
  23: '2026-10-28.endive',
} as const

export type Major = keyof typeof releases
export const majors = Object.keys(releases).map(Number) as Major[]

/** An object of whatever version: its fields are what the tests are about. */
// biome-ignore lint/suspicious/noExplicitAny: the shape differs by version, and the newest declarations would deny it
export type Loose = any

/**
 * An unmodified release. All of them declare the same ambient module, so their types cannot be loaded
 * beside each other: the newest stand for the calls, and answers are {@link Loose}.
 */
export async function clientOf(major: Major, port: number, apiVersion?: string): Promise<Stripe> {
  const { default: Client } = (await import(major === 23 ? 'stripe' : `stripe-${major}`)) as {
    default: new (key: string, config: object) => Stripe
  }
  return new Client('sk_test_simulator', {
    host: '127.0.0.1',
    port,
    protocol: 'http',
    maxNetworkRetries: 0,
    ...(apiVersion === undefined ? {} : { apiVersion }),
  })
}
