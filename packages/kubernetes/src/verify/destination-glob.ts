/**
 * Whether a glob as Argo CD's AppProjects use it matches a name: `*`, `?`, `[abc]`, `[!abc]` and `{a,b}`. A leading `!` is not part
 * of it: it denies what the rest matches.
 */
export function globMatches(glob: string, name: string): boolean {
  let expression = '';
  let depth = 0;
  for (let index = 0; index < glob.length; index += 1) {
    const character = glob.charAt(index);
    const close = character === '[' ? glob.indexOf(']', index + 2) : -1;
    if (character === '\\' && index + 1 < glob.length) expression += escaped(glob.charAt(++index));
    else if (character === '*') expression += expression.endsWith('.*') ? '' : '.*';
    else if (character === '?') expression += '.';
    else if (character === '[' && close !== -1) {
      const set = glob.slice(index + 1, close);
      expression += `[${set.startsWith('!') ? '^' : ''}${set.replace(/^!/, '').replace(/[\]\\^]/g, '\\$&')}]`;
      index = close;
    } else if (character === '{') {
      expression += '(?:';
      depth += 1;
    } else if (character === '}' && depth > 0) {
      expression += ')';
      depth -= 1;
    } else if (character === ',' && depth > 0) expression += '|';
    else expression += escaped(character);
  }
  if (depth > 0) return false;
  try {
    return new RegExp(`^${expression}$`, 's').test(name);
  } catch {
    // Argo CD takes a glob that it cannot read for one that matches nothing.
    return false;
  }
}

function escaped(character: string): string {
  return character.replace(/[.*+?^${}()|[\]\\/-]/, '\\$&');
}
