// Writes groups of rules as the YAML that people read: comments, and expressions over several lines.
local lines = (import 'promql.libsonnet').lines;
{
  local indent(text, by) = std.join('\n', [if line == '' then '' else by + line for line in lines(text)]),

  local comment(object, by) =
    if std.objectHasAll(object, 'comment') then indent(object.comment, by + '# ') + '\n' else '',

  local contains(text, part) = std.strReplace(text, part, '') != text,
  local quoted(text) = '"' + std.strReplace(std.strReplace(text, '\\', '\\\\'), '"', '\\"') + '"',
  local special = std.set(std.stringChars('"{@`\'%&*!|>[]#')),

  local value(text, by) =
    local trimmed = std.join('\n', lines(text));
    if contains(trimmed, '\n') then '|\n' + indent(trimmed, by)
    else if std.setMember(trimmed[0], special) || contains(trimmed, ': ') then quoted(trimmed)
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
