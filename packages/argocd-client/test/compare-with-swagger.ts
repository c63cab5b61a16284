/** The part of a JSON Schema that both documents use. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema;
  readonly items?: Schema;
  readonly 'x-since'?: string;
}

interface Parameter {
  readonly $ref?: string;
  readonly in: string;
  readonly name: string;
  readonly schema?: Schema;
}

interface Operation {
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
  readonly responses?: Readonly<
    Record<string, { readonly $ref?: string; readonly content?: Readonly<Record<string, { readonly schema: Schema }>> }>
  >;
}

type PathItem = Readonly<Record<string, Operation>> & { readonly parameters?: readonly Parameter[] };

export interface OpenApi {
  readonly paths: Readonly<Record<string, PathItem>>;
  readonly components?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** Swagger 2.0: a body is a parameter, and other parameters are schemas themselves. */
export interface Swagger {
  readonly paths: Readonly<
    Record<
      string,
      Readonly<
        Record<
          string,
          {
            readonly parameters?: readonly (Schema & Parameter)[];
            readonly responses: Readonly<Record<string, { readonly schema?: Schema }>>;
          }
        >
      >
    >
  >;
  readonly definitions: Readonly<Record<string, Schema>>;
}

/** Something that the document says and the swagger does not. */
export interface Difference {
  /** `GET /api/v1/settings ?selector`, or `Settings.url` for a field of a component. */
  readonly at: string;
  /** `since`: the document's `x-since` is too late, as the version knows it already. */
  readonly problem: 'missing' | 'type' | 'since';
}

const METHODS = ['get', 'put', 'post', 'patch', 'delete'];

/** Everything that the document says and the swagger of one version does not. Both are walked in step, from each operation. */
export function compareWithSwagger(
  openApi: OpenApi,
  swagger: Swagger,
  reaches: (since: string) => boolean,
): readonly Difference[] {
  const differences: Difference[] = [];
  const visited = new Set<string>();
  const report = (at: string, problem: Difference['problem']) => {
    if (!differences.some((known) => known.at === at && known.problem === problem)) differences.push({ at, problem });
  };

  function compare(at: string, ours: Schema, theirs: Schema): void {
    if (ours.$ref !== undefined) {
      const [, name = ''] = /\/([^/]+)$/.exec(ours.$ref) ?? [];
      const pair = `${name} ${theirs.$ref ?? JSON.stringify(theirs)}`;
      if (visited.has(pair)) return;
      visited.add(pair);
      compare(name, lookUp(openApi, ours.$ref) as Schema, theirs);
      return;
    }
    const known =
      theirs.$ref === undefined ? theirs : (swagger.definitions[theirs.$ref.replace('#/definitions/', '')] ?? {});
    if (kindOf(ours) !== kindOf(known)) {
      report(at, 'type');
      return;
    }
    for (const [name, property] of Object.entries(ours.properties ?? {})) {
      const theirProperty = known.properties?.[name];
      const since = property['x-since'];
      if (since !== undefined && !reaches(since)) {
        if (theirProperty !== undefined) report(`${at}.${name}`, 'since');
      } else if (theirProperty === undefined) report(`${at}.${name}`, 'missing');
      else compare(`${at}.${name}`, property, theirProperty);
    }
    if (ours.items !== undefined) compare(`${at}[]`, ours.items, known.items ?? {});
    if (ours.additionalProperties?.type !== undefined) {
      compare(`${at}{}`, ours.additionalProperties, known.additionalProperties ?? {});
    }
  }

  const theirPaths = new Map<string, Swagger['paths'][string]>();
  for (const [path, item] of Object.entries(swagger.paths)) {
    // One path has several entries where its methods name its parameters differently.
    theirPaths.set(template(path), { ...theirPaths.get(template(path)), ...item });
  }
  for (const [path, item] of Object.entries(openApi.paths)) {
    for (const method of METHODS) {
      const operation = item[method];
      if (operation === undefined) continue;
      const at = `${method.toUpperCase()} ${path}`;
      const theirs = theirPaths.get(template(path))?.[method];
      if (theirs === undefined) {
        report(at, 'missing');
        continue;
      }
      for (const reference of [...(item.parameters ?? []), ...(operation.parameters ?? [])]) {
        const parameter = reference.$ref === undefined ? reference : (lookUp(openApi, reference.$ref) as Parameter);
        // The name of a path parameter is not on the wire, and its place is compared with the path.
        if (parameter.in === 'path') continue;
        const their = theirs.parameters?.find(
          ({ name, in: place }) => name === parameter.name && place === parameter.in,
        );
        if (their === undefined) report(`${at} ?${parameter.name}`, 'missing');
        else compare(`${at} ?${parameter.name}`, parameter.schema ?? {}, their);
      }
      const body = operation.requestBody?.content['application/json']?.schema;
      const theirBody = theirs.parameters?.find(({ in: place }) => place === 'body')?.schema;
      if (body !== undefined) compare(`${at} body`, body, theirBody ?? {});
      const response = operation.responses?.['200'];
      const resolved = response?.$ref === undefined ? response : (lookUp(openApi, response.$ref) as typeof response);
      const [content] = Object.values(resolved?.content ?? {});
      if (content !== undefined) compare(`${at} 200`, content.schema, theirs.responses['200']?.schema ?? {});
    }
  }
  return differences;
}

/** Components that nothing leads to. */
export function unreached(openApi: OpenApi): readonly string[] {
  const reached = new Set<string>();
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, child] of Object.entries(value)) {
      if (key !== '$ref') visit(child);
      else if (!reached.has(child as string)) {
        reached.add(child as string);
        visit(lookUp(openApi, child as string));
      }
    }
  };
  visit(openApi.paths);
  const all = Object.entries(openApi.components ?? {}).flatMap(([kind, members]) =>
    Object.keys(members).map((name) => `#/components/${kind}/${name}`),
  );
  return all.filter((reference) => !reached.has(reference));
}

function lookUp(openApi: OpenApi, reference: string): unknown {
  const [, , kind = '', name = ''] = reference.split('/');
  const found = openApi.components?.[kind]?.[name];
  if (found === undefined) throw new Error(`${reference} is not in the document.`);
  return found;
}

/** `/applications/{application.metadata.name}` and `/applications/{name}` are one path. */
function template(path: string): string {
  return path.replaceAll(/\{[^}]*\}/g, '{}');
}

/** What JSON a schema admits, as far as both documents tell. */
function kindOf({ type, format, properties, additionalProperties }: Schema): string {
  const name = typeof type === 'string' ? type : type?.find((one) => one !== 'null');
  if (name === 'object' && properties === undefined && additionalProperties !== undefined) return 'map';
  if (format === 'date-time') return 'date-time';
  return name ?? 'any';
}
