import { gap } from '../errors.ts'

/**
 * The API versions that are served, newest first, and what each changes in the newest shape. Older
 * shapes belong here, as transforms from the version after them, and nowhere else.
 * https://docs.stripe.com/changelog
 */
export const versions = ['2026-10-28.endive', '2026-09-30.endive'] as const

/** 2026-10-28 only added to 2026-09-30 (portal features), so one shape serves both. */
export function checkVersion(version: string | undefined, param?: string): void {
  if (version === undefined || (versions as readonly string[]).includes(version)) return
  throw gap(`the API version ${version} (it serves ${versions.join(' and ')})`, param)
}
