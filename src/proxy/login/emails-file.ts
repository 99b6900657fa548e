import { csvRecords } from './csv-records.ts'

/** The addresses of an `authenticated_emails_file`: the first column, in lower case (oauth2-proxy validator.go). */
export function parseEmails(text: string): ReadonlySet<string> {
  const addresses = csvRecords(text, ',').map(([address = '']) => address.trim().toLowerCase())
  return new Set(addresses.filter((address) => address !== ''))
}
