/** How much a customer of the demonstration uses: of each meter, by the hour. */
export interface Usage {
  readonly meter: string
  /** How often it is measured. */
  readonly every: 'hour' | 'day'
  /** What a usual measurement says, before the time of day and chance have their part. */
  readonly typical: number
  /** When it is busy. */
  readonly rhythm: 'working hours' | 'nights' | 'evenings' | 'growing'
  /** Decimals that a measurement has. */
  readonly decimals: number
}

export interface DemoCustomer {
  readonly externalId: string
  readonly name: string
  readonly email: string
  readonly plan: string
  readonly usage: readonly Usage[]
}

/** A shop that sells by day, a compiler farm that builds by night, a hobby, and a novelist. */
export const demoCustomers: readonly DemoCustomer[] = [
  {
    externalId: 'lovelace-analytics',
    name: 'Lovelace Analytics',
    email: 'billing@lovelace.example',
    plan: 'cloud-host',
    usage: [
      { meter: 'compute_seconds', every: 'hour', typical: 5200, rhythm: 'working hours', decimals: 2 },
      { meter: 'bandwidth_bytes', every: 'hour', typical: 640_000_000, rhythm: 'working hours', decimals: 0 },
      { meter: 'requests', every: 'hour', typical: 21_000, rhythm: 'working hours', decimals: 0 },
      { meter: 'storage_gib', every: 'day', typical: 120, rhythm: 'growing', decimals: 1 },
    ],
  },
  {
    externalId: 'hopper-compilers',
    name: 'Hopper Compilers',
    email: 'accounts@hopper.example',
    plan: 'cloud-host',
    usage: [
      { meter: 'compute_seconds', every: 'hour', typical: 14_000, rhythm: 'nights', decimals: 2 },
      { meter: 'bandwidth_bytes', every: 'hour', typical: 95_000_000, rhythm: 'nights', decimals: 0 },
      { meter: 'storage_gib', every: 'day', typical: 810, rhythm: 'growing', decimals: 1 },
    ],
  },
  {
    externalId: 'turing-at-home',
    name: 'Alan T.',
    email: 'alan@turing.example',
    plan: 'cloud-host',
    usage: [
      { meter: 'compute_seconds', every: 'hour', typical: 35, rhythm: 'evenings', decimals: 2 },
      { meter: 'bandwidth_bytes', every: 'hour', typical: 900_000, rhythm: 'evenings', decimals: 0 },
      { meter: 'requests', every: 'day', typical: 1400, rhythm: 'evenings', decimals: 0 },
    ],
  },
  {
    externalId: 'austen-novels',
    name: 'Jane A.',
    email: 'jane@austen.example',
    plan: 'premium-monthly',
    usage: [],
  },
]
