/**
 * Parameters as a Python reader writes them. Pure; the tags are those of the server's `model/parameters.py`.
 */

/** A literal: `None`, `True`, `nan`, `'text'`, `[1, 2]`, `{'a': 1}`. */
export function literal(value: unknown): string {
  if (value === null || value === undefined) {
    return 'None';
  }
  if (typeof value === 'boolean') {
    return value ? 'True' : 'False';
  }
  if (typeof value === 'string') {
    return quoted(value);
  }
  if (Array.isArray(value)) {
    return `[${value.map(literal).join(', ')}]`;
  }
  if (typeof value === 'object') {
    return (
      tagged(value as Record<string, unknown>) ?? dict(Object.entries(value))
    );
  }
  return typeof value === 'number' ? value.toString() : 'None';
}

/** Parameters as assignments: `trees = 200`. */
export function assignments(
  parameters: Readonly<Record<string, unknown>>
): string[] {
  return Object.entries(parameters).map(
    ([name, value]) => `${name} = ${literal(value)}`
  );
}

function tagged(value: Record<string, unknown>): string | null {
  const entries = Object.entries(value);
  if (entries.length !== 1) {
    return null;
  }
  const [tag, content] = entries[0];
  if ((tag === '$float' || tag === '$int') && typeof content === 'string') {
    return content;
  }
  return tag === '$dict' && Array.isArray(content)
    ? dict(content as [string, unknown][])
    : null;
}

function dict(entries: [string, unknown][]): string {
  const items = entries.map(([k, v]) => `${quoted(k)}: ${literal(v)}`);
  return `{${items.join(', ')}}`;
}

function quoted(text: string): string {
  const escaped = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"');
  return escaped.includes("'") && !escaped.includes('"')
    ? `"${escaped}"`
    : `'${escaped.replaceAll("'", "\\'")}'`;
}
