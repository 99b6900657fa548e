import { readForm } from '../http/forms.ts'

/** Query and form together, as Go's `r.Form`: the form's values come first. */
export async function requestParameters(request: Request): Promise<URLSearchParams> {
  const parameters = request.method === 'POST' ? await readForm(request) : new URLSearchParams()
  for (const [name, value] of new URL(request.url).searchParams) parameters.append(name, value)
  return parameters
}
