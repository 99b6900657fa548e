/** Looks a variable up; an empty one is an unset one. */
export type Lookup = (name: string, fallback?: string) => string
/** Tells what is wrong with a variable, and what would do. */
export type Complain = (name: string, message: string, fix?: string) => void
