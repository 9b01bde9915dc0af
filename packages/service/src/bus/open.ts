import type { Bell } from '../bell.ts'
import type { Clock } from '../clock.ts'
import type { Config } from '../config.ts'
import type { Log } from '../log.ts'
import type { Db } from '../postgres/connect.ts'
import type { Provider } from '../provider/stripe/account.ts'
import type { Bus, Delivery } from './bus.ts'
import { localBus } from './local.ts'
import { receive } from './receive.ts'

interface OpenDeps {
  readonly config: Pick<Config, 'bus'>
  readonly db: Db
  readonly clock: Clock
  readonly log: Log
  readonly bell: Bell
  readonly provider: Pick<Provider, 'instance'>
}

/** The bus of the configuration; without one, the local one. */
export async function openBus({ config, provider, ...deps }: OpenDeps): Promise<Bus> {
  const nudge = () => void deps.bell.emit('bus')
  const take = (delivery: Delivery) => receive({ ...deps, nudge }, delivery)
  const { natsUrl } = config.bus
  if (natsUrl === undefined) return localBus(take)
  const { natsBus } = await import('./nats.ts')
  return natsBus({ url: natsUrl, durable: `lockstep-${provider.instance}`, log: deps.log, take })
}
