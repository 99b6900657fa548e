import type { Realm } from '../realm.ts'

/** What every page of a realm is dressed in. */
export interface Look {
  /** Where the shared files are served, no trailing slash. */
  readonly assetsPath: string
  /** The realm's name for people. */
  readonly brandName: string
}

/** The look of a realm's pages. */
export function lookOf({ model, assetsPath }: Realm): Look {
  return { assetsPath, brandName: model.settings.displayName ?? model.name }
}
