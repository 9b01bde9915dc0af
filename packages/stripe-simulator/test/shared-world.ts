import { afterAll } from 'vitest'
import type { SimulatorOptions } from '../src/simulator.ts'
import { newWorld, type World } from './world.ts'

/** A world that all tests of a file share, closed after them. */
export async function sharedWorld(options?: SimulatorOptions): Promise<World> {
  const world = await newWorld(options)
  afterAll(() => world.close())
  return world
}
