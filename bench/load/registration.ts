/** The load of `registration`, a process of its own: one registration after the other on each connection. */
export interface RegistrationLoad {
  readonly url: string
  readonly apiKey: string
  /** Makes the users of this run other ones. */
  readonly run: number
  readonly connections: number
  readonly seconds: number
}

export interface RegistrationLoadResult {
  readonly seconds: number
  readonly registrations: number
}

const options = JSON.parse(process.argv[2] ?? '{}') as RegistrationLoad
let [asked, registrations] = [0, 0]
const start = performance.now()
const end = start + options.seconds * 1000

async function register(): Promise<void> {
  const externalId = `user_${options.run}_${++asked}`
  const response = await fetch(`${options.url}/v1/registrations`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${options.apiKey}`,
      'content-type': 'application/json',
      'idempotency-key': externalId,
    },
    body: JSON.stringify({ externalId, plan: 'team', paymentMethod: 'pm_card_visa' }),
  })
  const text = await response.text()
  if (response.status !== 201) throw new Error(`${response.status} ${text}`)
  registrations += 1
}

async function connection(): Promise<void> {
  while (performance.now() < end) await register()
}

await Promise.all(Array.from({ length: options.connections }, connection))
const result: RegistrationLoadResult = { seconds: (performance.now() - start) / 1000, registrations }
console.log(JSON.stringify(result))
