// Writes groups of rules as the YAML that people read: comments, and expressions over several lines.
{
  local indent(text, by) =
    std.join('\n', [if line == '' then '' else by + line for line in std.split(std.rstripChars(text, '\n'), '\n')]),

  local comment(object, by) =
    if std.objectHasAll(object, 'comment') then indent(object.comment, by + '# ') + '\n' else '',

  // std.findSubstr takes seconds where std.strReplace takes none.
  local contains(text, part) = std.strReplace(text, part, '') != text,
  local special = std.set(std.stringChars('"{@`\'%&*!|>[]#')),

  local value(text, by) =
    local trimmed = std.rstripChars(text, '\n');
    if contains(trimmed, '\n') then '|\n' + indent(trimmed, by)
    else if std.setMember(trimmed[0], special) || contains(trimmed, ': ') then std.escapeStringJson(trimmed)
    else trimmed,

  local pairs(name, object, by) =
    if std.objectHas(object, name) then
      '\n' + by + name + ':' + std.join('', [
        '\n' + by + '  ' + key + ': ' + value(object[name][key], by + '    ')
        for key in std.objectFields(object[name])
      ]) else '',

  local rule(object) =
    local kind = if std.objectHas(object, 'alert') then 'alert' else 'record';
    comment(object, '      ') +
    '      - ' + kind + ': ' + object[kind] + '\n        expr: ' + value(object.expr, '          ') +
    std.join('', [
      '\n        ' + key + ': ' + object[key]
      for key in ['for', 'keep_firing_for']
      if std.objectHas(object, key)
    ]) +
    pairs('labels', object, '        ') + pairs('annotations', object, '        '),

  local group(object) =
    comment(object, '  ') +
    '  - name: ' + object.name + '\n' +
    (if std.objectHas(object, 'interval') then '    interval: ' + object.interval + '\n' else '') +
    '    rules:\n' + std.join('\n\n', [rule(one) for one in object.rules]),

  yaml(head, groups):: indent(head, '# ') + '\ngroups:\n' + std.join('\n\n', [group(one) for one in groups]) + '\n',
}
