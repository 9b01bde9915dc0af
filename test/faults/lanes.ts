import { inspect } from 'node:util'

/**
 * Runs seeded cases side by side, each lane in a world of its own, one after the other there.
 *
 * @returns one sentence for each promise that was broken, with the seed of its run
 */
export async function inLanes<World extends { close(): Promise<void> }>(
  { runs, seed, lanes }: { readonly runs: number; readonly seed: number; readonly lanes: number },
  newWorld: () => Promise<World>,
  play: (world: World, seed: number) => Promise<readonly string[]>,
): Promise<string[]> {
  const breaches: string[] = []
  let next = 0
  async function lane(): Promise<void> {
    const world = await newWorld()
    try {
      while (next < runs) {
        const own = seed + next
        next += 1
        // One that breaks off is not the end of the others.
        const found = await play(world, own).catch((error: unknown) => [`It broke off: ${inspect(error)}`])
        breaches.push(...found.map((breach) => `seed ${own}: ${breach}`))
      }
    } finally {
      await world.close()
    }
  }
  await Promise.all(Array.from({ length: Math.min(lanes, runs) }, lane))
  return breaches
}
