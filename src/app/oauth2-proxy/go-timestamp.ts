/** Compiles `2006/01/02 15:04:05`, Go's layout of oauth2-proxy's lines; made once a second. */
export function compileTimestamp({ isLocal }: { isLocal: boolean }): (milliseconds: number) => string {
  let second = Number.NaN
  let text = ''
  return (milliseconds) => {
    const now = Math.floor(milliseconds / 1000)
    if (now !== second) {
      second = now
      text = stampOf(new Date(now * 1000), isLocal)
    }
    return text
  }
}

function stampOf(date: Date, isLocal: boolean): string {
  const shifted = isLocal ? new Date(date.getTime() - date.getTimezoneOffset() * 60_000) : date
  return shifted.toISOString().slice(0, 19).replaceAll('-', '/').replace('T', ' ')
}
