import { gap, invalid } from '../errors.ts'

/** The API versions that are served, newest first. https://docs.stripe.com/changelog */
export const versions = [
  '2026-10-28.endive',
  '2026-09-30.endive',
  '2026-08-26.dahlia',
  '2026-07-29.dahlia',
  '2026-06-24.dahlia',
  '2026-05-27.dahlia',
  '2026-04-22.dahlia',
  '2026-03-25.dahlia',
  '2026-02-25.clover',
  '2026-01-28.clover',
  '2025-12-15.clover',
  '2025-11-17.clover',
  '2025-10-29.clover',
  '2025-09-30.clover',
  '2025-08-27.basil',
  '2025-07-30.basil',
  '2025-06-30.basil',
  '2025-05-28.basil',
  '2025-04-30.basil',
  '2025-03-31.basil',
  '2025-02-24.acacia',
  '2025-01-27.acacia',
  '2024-12-18.acacia',
  '2024-11-20.acacia',
  '2024-10-28.acacia',
  '2024-09-30.acacia',
  '2024-06-20',
  '2024-04-10',
  '2023-10-16',
  '2023-08-16',
  '2022-11-15',
  '2022-08-01',
  '2020-08-27',
] as const

export type Version = (typeof versions)[number]

export const newest = versions[0]
const oldest = versions[versions.length - 1] as Version

/** A version that was asked for by its name. */
export function versionOf(name: string, param?: string): Version {
  if ((versions as readonly string[]).includes(name)) return name as Version
  if (/^20\d\d-\d\d-\d\d$/.test(name) && name < oldest) {
    throw gap(`the API version ${name} (it serves ${oldest} to ${newest})`, param)
  }
  throw invalid(`Invalid Stripe API version: ${name}`, param)
}

/** Whether `version` has what came with `since`. The names begin with their dates, so they sort by them. */
export function has(version: Version, since: Version): boolean {
  return version >= since
}
