"""Jinja templates for tests: chat templates in the style of well-known models, and generated ones of the whole grammar."""
import random

# Own templates that use the constructs those families of models use.
ORDINARY = {
    "chatml": "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\\nYou are "
              "a helpful assistant.<|im_end|>\\n' }}{% endif %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + "
              "'<|im_end|>' + '\\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}",
    "header": """{{- bos_token }}
{%- if custom_tools is defined %}{%- set tools = custom_tools %}{%- endif %}
{%- if not date_string is defined %}
    {%- if strftime_now is defined %}{%- set date_string = strftime_now("%d %b %Y") %}{%- else %}{%- set date_string = "26 Jul 2024" %}{%- endif %}
{%- endif %}
{%- if not tools is defined %}{%- set tools = none %}{%- endif %}
{#- The system message. #}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content']|trim %}{%- set messages = messages[1:] %}
{%- else %}{%- set system_message = "" %}{%- endif %}
{{- "<|start_header_id|>system<|end_header_id|>\\n\\n" }}
{%- if builtin_tools is defined %}{{- "Tools: " + builtin_tools | reject('equalto', 'code_interpreter') | join(", ") + "\\n\\n"}}{%- endif %}
{{- "Today Date: " + date_string + "\\n\\n" }}
{%- if tools is not none %}
    {{- "Given the following functions, please respond with a JSON for a function call. Do not use variables.\\n\\n" }}
    {%- for t in tools %}{{- t | tojson(indent=4) }}{{- "\\n\\n" }}{%- endfor %}
{%- endif %}
{{- system_message }}{{- "<|eot_id|>" }}
{%- for message in messages %}
    {%- if not (message.role == 'ipython' or message.role == 'tool' or 'tool_calls' in message) %}
        {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n'+ message['content'] | trim + '<|eot_id|>' }}
    {%- elif 'tool_calls' in message %}
        {%- if not message.tool_calls|length == 1 %}{{- raise_exception("This model only supports single tool-calls at once!") }}{%- endif %}
        {%- set tool_call = message.tool_calls[0].function %}
        {%- if builtin_tools is defined and tool_call.name in builtin_tools %}
            {{- "<|python_tag|>" + tool_call.name + ".call(" }}
            {%- for arg_name, arg_val in tool_call.arguments | items %}{{- arg_name + '="' + arg_val + '"' }}{%- if not loop.last %}{{- ", " }}{%- endif %}{%- endfor %}
            {{- ")" }}
        {%- else %}{{- '{"name": "' + tool_call.name + '", ' }}{{- tool_call.arguments | tojson }}{{- "}" }}{%- endif %}
    {%- elif message.role == "tool" or message.role == "ipython" %}
        {%- if message.content is mapping or message.content is iterable %}{{- message.content | tojson }}{%- else %}{{- message.content }}{%- endif %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{%- endif %}
""",
    "inst": """{%- if messages[0]["role"] == "system" %}{%- set system_message = messages[0]["content"] %}{%- set loop_messages = messages[1:] %}
{%- else %}{%- set loop_messages = messages %}{%- endif %}
{%- set user_messages = loop_messages | selectattr("role", "equalto", "user") | list %}
{%- set ns = namespace(index=0) %}
{%- for message in loop_messages %}
    {%- if not (message.role == "tool" or message.role == "tool_results" or (message.tool_calls is defined and message.tool_calls is not none)) %}
        {%- if (message["role"] == "user") != (ns.index % 2 == 0) %}{{- raise_exception("After the optional system message, conversation roles must alternate user/assistant") }}{%- endif %}
        {%- set ns.index = ns.index + 1 %}
    {%- endif %}
{%- endfor %}
{{- bos_token }}
{%- for message in loop_messages %}
    {%- if message["role"] == "user" %}
        {%- if tools is not none and (message == user_messages[-1]) %}
            {{- "[AVAILABLE_TOOLS] [" }}
            {%- for tool in tools %}{%- set tool = tool.function %}{{- '{"type": "function", "function": {' }}
                {%- for key, val in tool.items() if key != "return" %}
                    {%- if val is string %}{{- '"' + key + '": "' + val + '"' }}{%- else %}{{- '"' + key + '": ' + val|tojson }}{%- endif %}
                    {%- if not loop.last %}{{- ", " }}{%- endif %}
                {%- endfor %}{{- "}}" }}{%- if not loop.last %}{{- ", " }}{%- else %}{{- "]" }}{%- endif %}
            {%- endfor %}{{- "[/AVAILABLE_TOOLS]" }}
        {%- endif %}
        {%- if loop.last and system_message is defined %}{{- "[INST] " + system_message + "\\n\\n" + message["content"] + "[/INST]" }}{%- else %}{{- "[INST] " + message["content"] + "[/INST]" }}{%- endif %}
    {%- elif message.tool_calls is defined and message.tool_calls is not none %}
        {{- "[TOOL_CALLS] [" }}
        {%- for tool_call in message.tool_calls %}
            {%- set out = tool_call.function|tojson %}{{- out[:-1] }}
            {%- if not tool_call.id is defined or tool_call.id|length != 9 %}{{- raise_exception("Tool call IDs should be alphanumeric strings with length 9!") }}{%- endif %}
            {{- ', "id": "' + tool_call.id + '"}' }}{%- if not loop.last %}{{- ", " }}{%- else %}{{- "]" + eos_token }}{%- endif %}
        {%- endfor %}
    {%- elif message["role"] == "assistant" %}{{- " " + message["content"]|trim + eos_token}}
    {%- else %}{{- raise_exception("Only user and assistant roles are supported, with the exception of an initial optional system message!") }}{%- endif %}
{%- endfor %}
""",
    "turns": "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
             "{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
             "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}"
             "{% if (message['role'] == 'assistant') %}{% set role = 'model' %}{% else %}{% set role = message['role'] %}{% endif %}"
             "{{ '<start_of_turn>' + role + '\n' + message['content'] | trim + '<end_of_turn>\n' }}{% endfor %}"
             "{% if add_generation_prompt %}{{'<start_of_turn>model\n'}}{% endif %}",
    "parts": """{{ bos_token }}
{%- if messages[0]['role'] == 'system' -%}
    {%- if messages[0]['content'] is string -%}{%- set first_user_prefix = messages[0]['content'] + '\n\n' -%}
    {%- else -%}{%- set first_user_prefix = messages[0]['content'][0]['text'] + '\n\n' -%}{%- endif -%}
    {%- set loop_messages = messages[1:] -%}
{%- else -%}{%- set first_user_prefix = "" -%}{%- set loop_messages = messages -%}{%- endif -%}
{%- for message in loop_messages -%}
    {{ '<start_of_turn>' + message.role + '\n' + (first_user_prefix if loop.first else "") }}
    {%- if message['content'] is string -%}{{ message['content'] | trim }}
    {%- elif message['content'] is iterable -%}
        {%- for item in message['content'] -%}
            {%- if item['type'] == 'image' -%}{{ '<start_of_image>' }}{%- elif item['type'] == 'text' -%}{{ item['text'] | trim }}{%- endif -%}
        {%- endfor -%}
    {%- else -%}{{ raise_exception("Invalid content type") }}{%- endif -%}
    {{ '<end_of_turn>\n' }}
{%- endfor -%}
""",
    "thinking": """{% if not add_generation_prompt is defined %}{% set add_generation_prompt = false %}{% endif %}{% set ns = namespace(is_first=false, is_tool=false, is_output_first=true, system_prompt='') %}
{%- for message in messages %}{%- if message['role'] == 'system' %}{% set ns.system_prompt = message['content'] %}{%- endif %}{%- endfor %}{{bos_token}}{{ns.system_prompt}}
{%- for message in messages %}
{%- if message['role'] == 'user' %}{%- set ns.is_tool = false -%}{{'<｜User｜>' + message['content']}}{%- endif %}
{%- if message['role'] == 'assistant' and message['content'] is none %}{%- set ns.is_tool = false -%}
{%- for tool in message['tool_calls']%}{%- if not ns.is_first %}{{'<｜Assistant｜><｜tool▁calls▁begin｜>' + tool['type'] + '<｜tool▁sep｜>' + tool['function']['name'] + '\\n' + '```json' + '\\n' + tool['function']['arguments'] + '\\n' + '```'}}{%- set ns.is_first = true -%}{%- endif %}{%- endfor %}{%- endif %}
{%- if message['role'] == 'assistant' and message['content'] is not none %}{% set content = message['content'] %}{% if '</think>' in content %}{% set content = content.split('</think>')[-1] %}{% endif %}{{'<｜Assistant｜>' + content + '<｜end▁of▁sentence｜>'}}{%- endif %}
{%- endfor -%}{% if add_generation_prompt and not ns.is_tool %}{{'<｜Assistant｜>'}}{% endif %}""",
    "steps": """{%- if tools %}
    {{- '<|im_start|>system\\n' }}
    {%- if messages[0].role == 'system' %}{{- messages[0].content + '\\n\\n' }}{%- endif %}
    {{- "# Tools\\n\\nYou may call one or more functions to assist with the user query.\\n\\n<tools>" }}
    {%- for tool in tools %}{{- "\\n" }}{{- tool | tojson }}{%- endfor %}
    {{- "\\n</tools>\\n\\n{\\"name\\": <function-name>, \\"arguments\\": <args-json-object>}\\n<|im_end|>\\n" }}
{%- endif %}
{%- set ns = namespace(multi_step_tool=true, last_query_index=messages|length - 1) %}
{%- for message in messages[::-1] %}
    {%- set index = (messages|length - 1) - loop.index0 %}
    {%- if ns.multi_step_tool and message.role == "user" and message.content is string and not(message.content.startswith('<tool_response>') and message.content.endswith('</tool_response>')) %}
        {%- set ns.multi_step_tool = false %}{%- set ns.last_query_index = index %}
    {%- endif %}
{%- endfor %}
{%- for message in messages %}
    {%- if message.content is string %}{%- set content = message.content %}{%- else %}{%- set content = '' %}{%- endif %}
    {%- if message.role == "assistant" %}
        {%- set reasoning_content = '' %}
        {%- if '</think>' in content %}
            {%- set reasoning_content = content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}
            {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
        {%- endif %}
        {%- if loop.index0 > ns.last_query_index and (loop.last or (not loop.last and reasoning_content)) %}
            {{- '<|im_start|>' + message.role + '\\n<think>\\n' + reasoning_content.strip('\\n') + '\\n</think>\\n\\n' + content.lstrip('\\n') }}
        {%- else %}{{- '<|im_start|>' + message.role + '\\n' + content }}{%- endif %}
        {%- for tool_call in message.tool_calls %}
            {%- if tool_call.function %}{%- set tool_call = tool_call.function %}{%- endif %}
            {{- '<tool_call>\\n{"name": "' }}{{- tool_call.name }}{{- '", "arguments": ' }}
            {%- if tool_call.arguments is string %}{{- tool_call.arguments }}{%- else %}{{- tool_call.arguments | tojson }}{%- endif %}{{- '}\\n</tool_call>' }}
        {%- endfor %}{{- '<|im_end|>\\n' }}
    {%- elif message.role == "tool" %}
        {%- if loop.first or (messages[loop.index0 - 1].role != "tool") %}{{- '<|im_start|>user' }}{%- endif %}{{- content }}
        {%- if loop.last or (messages[loop.index0 + 1].role != "tool") %}{{- '<|im_end|>\\n' }}{%- endif %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{%- if enable_thinking is defined and enable_thinking is false %}{{- '<think>\\n\\n</think>\\n\\n' }}{%- endif %}{%- endif %}
""",
    "roles": "{% for message in messages %}\n{% if message['role'] == 'user' %}\n{{ '<|user|>\n' + message['content'] + eos_token }}\n"
             "{% elif message['role'] == 'system' %}\n{{ '<|system|>\n' + message['content'] + eos_token }}\n{% elif message['role'] == "
             "'assistant' %}\n{% generation %}{{ '<|assistant|>\n'  + message['content'] + eos_token }}{% endgeneration %}\n{% endif %}\n"
             "{% if loop.last and add_generation_prompt %}\n{{ '<|assistant|>' }}\n{% endif %}\n{% endfor %}",
    "types": """{%- macro json_to_python_type(json_spec) %}
{%- set basic_type_map = {"string": "str", "number": "float", "integer": "int", "boolean": "bool"} %}
{%- if basic_type_map[json_spec.type] is defined %}{{- basic_type_map[json_spec.type] }}
{%- elif json_spec.type == "array" %}{{- "list[" + json_to_python_type(json_spec|items) + "]"}}
{%- elif json_spec.type is iterable %}{{- "Union[" }}{%- for t in json_spec.type %}{{- json_to_python_type({"type": t}) }}{%- if not loop.last %}{{- "," }}{%- endif %}{%- endfor %}{{- "]" }}
{%- else %}{{- "Any" }}{%- endif %}
{%- endmacro %}
{%- for tool in tools %}
    {%- if tool.function is defined %}{%- set tool = tool.function %}{%- endif %}
    {{- '{"type": "function", "function": {"name": "' + tool.name + '", "description": "' + tool.name + '(' }}
    {%- for param_name, param_fields in tool.parameters.properties|items %}
        {{- param_name + ": " + json_to_python_type(param_fields) }}{%- if not loop.last %}{{- ", " }}{%- endif %}
    {%- endfor %}
    {%- if tool.parameters.properties[param_name] is defined %}{{ tool.parameters.properties[param_name].description }}{%- endif %}
    {%- for key in tool %}{{ key ~ '=' ~ tool[key] }}{% break %}{%- endfor %}
{%- endfor %}
{%- set role_of = {'user': 'USER', 'assistant': 'ASSISTANT'} %}
{%- for m in messages %}{{ role_of[m.role] }}: {{ m['content'] if m['content'] is string else m['content'][0]['text'] }}{{ '\\n' }}{%- endfor %}
{{ ['a', 'b'][loop_index % 2] }}{% set date = strftime_now('%Y-%m-%d') %}{{ "{}: {}".format(date, 'x') }}{{ '%s' % date }}
""",
    "system switch": """{%- set system_message = messages[0].content if messages[0].role == "system" else "" -%}
{%- if "/no_think" in system_message -%}{%- set reasoning_mode = "/no_think" -%}{%- elif "/think" in system_message -%}{%- set reasoning_mode = "/think" -%}{%- else -%}{%- set reasoning_mode = "/think" -%}{%- endif -%}
{%- set custom_instructions = system_message.replace("/no_think", "").replace("/think", "").rstrip() -%}
{%- if reasoning_mode == "/think" -%}{{- "You are a helpful AI assistant. Think step by step before you answer.\\n" -}}{%- endif -%}""",
}

# Each is an escape, however its name is written.
ESCAPES = {
    "plain": "{% for c in ''.__class__.__mro__[1].__subclasses__() %}{% if 'warning' in c.__name__ %}{{ c()._module.__builtins__"
             "['__import__']('os').popen('id').read() }}{% endif %}{% endfor %}",
    "globals": "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "self": "{{ self._TemplateReference__context.cycler.__init__.__globals__ }}",
    "item": "{{ ''['__class__'] }}",
    "filter": "{{ ''|attr('__class__') }}",
    "plus": "{{ x['__cla' + 'ss__'] }}",
    "tilde": "{{ x['__cla' ~ 'ss__'] }}",
    "one underscore": "{% set u = '_' %}{{ x[u ~ u ~ 'class' ~ u ~ u] }}",
    "times": "{{ x['_' * 2 ~ 'class' ~ 2 * '_'] }}",
    "beside": "{{ x['__cla' 'ss__'] }}",
    "variables": "{% set a = '__cl' %}{% set b = 'ass__' %}{{ x|attr(a + b) }}",
    "later": "{% for i in [1, 2] %}{{ x[a] }}{% set a = '__class__' %}{% endfor %}",
    "namespace": "{% set ns = namespace(a='__cla') %}{% set ns.a = ns.a ~ 'ss__' %}{{ x[ns.a] }}",
    "reverse": "{{ x['__ssalc__'|reverse] }}",
    "slice": "{{ x['__ssalc__'[::-1]] }}",
    "join": "{{ x|attr(['__', 'class', '__']|join) }}",
    "method join": "{{ x|attr(''.join(['__', 'class', '__'])) }}",
    "dict": "{{ x[dict(__cl=1, ass__=2)|join] }}",
    "list": "{{ x[('__clxss__'|list|join).replace('x', 'a')] }}",
    "replace": "{{ x['XXclassXX'.replace('X', '_')] }}",
    "replace filter": "{{ x['XXclassXX'|replace('X', '_')] }}",
    "lower": "{{ x['__CLASS__'|lower] }}",
    "percent": "{{ x['%c%cclass%c%c' % (95, 95, 95, 95)] }}",
    "format filter": "{{ x['%s%sclass%s%s'|format('_', '_', '_', '_')] }}",
    "braces": "{{ x['{0}{0}class{0}{0}'.format('_')] }}",
    "format lookup": "{{ '{0.__class__.__mro__}'.format(x) }}",
    "hex": "{{ x['\\x5f\\x5fclass\\x5f\\x5f'] }}",
    "unicode": "{{ x['\\u005f\\u005fclass\\u005f\\u005f'] }}",
    "octal": "{{ x['\\137\\137class\\137\\137'] }}",
    "macro": "{% macro m(n) %}{{ x[n] }}{% endmacro %}{{ m('__class__') }}",
    "macro keyword": "{% macro m(a, n='') %}{{ x[n] }}{% endmacro %}{{ m(1, n='__class__') }}",
    "macro text": "{% macro m() %}__class__{% endmacro %}{{ x[m()] }}",
    "block": "{% set a %}__class__{% endset %}{{ x[a] }}",
    "loop": "{% for c in ['a', '__class__'] %}{{ x[c] }}{% endfor %}",
    "choice": "{{ x['__class__' if messages else 'a'] }}",
    "with": "{% with a = '__class__' %}{{ x[a] }}{% endwith %}",
    "map": "{{ messages|map(attribute='__class__')|list }}",
    "map attr": "{{ messages|map('attr', '__class__')|list }}",
    "select": "{{ messages|selectattr('__class__.__base__')|list }}",
    "group": "{{ messages|groupby('__class__') }}",
    "sort": "{{ messages|sort(attribute='role.__class__') }}",
    "sum": "{{ messages|sum(attribute='__class__') }}",
    "unknown attr": "{{ messages|attr(bos_token) }}",
    "unknown called": "{{ messages[bos_token]() }}",
    "unknown set and called": "{% set f = messages[bos_token] %}{{ f('id') }}",
    "unknown between": "{{ x['__' ~ bos_token ~ '__'] }}",
    "in a function": "{{ lipsum[bos_token] }}",
    "frame": "{{ x.gi_frame.f_globals }}",
    "call block": "{% call x.__init__() %}{% endcall %}",
    "filter block": "{% filter attr('__class__') %}a{% endfilter %}",
    "test": "{{ x is sameas(y.__class__) }}",
    "comment before": "{# nothing #}{%- raw %}{{ x.__class__ }}{% endraw -%}{{ x.__class__ }}",
    "default": "{{ x[nothing|default('__class__')] }}",
    "many arguments": "{{ x[('%c' * 9)|format(95, 95, 99, 108, 97, 115, 115, 95, 95)] }}",
    "many names": "{% for c in ['a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'a7', 'a8', 'a9', 'b1', 'b2', 'b3', 'b4', 'b5', 'b6', 'b7', "
                  "'b8', '__class__'] %}{{ x[c] }}{% endfor %}",
    "long": "{{ x[('a' * 5000 ~ '_' ~ '_' ~ 'class' ~ '_' ~ '_')[5000:]] }}",
    "another way": "{{ x['xx'|urlencode|center(4)] }}",
    "import": "{{ __import__('os').system('id') }}",
}


def expression(draw, depth):
    """An expression of the grammar, most of the time."""
    if depth <= 0:
        return draw.choice(["a", "b1", "'x'", '"y"', "1", "2.5", "0x1f", "1_000", "true", "none", "[]", "{}", "()", "messages", "1e5",
                            "'a' 'b'", "'\\n'", "'\\x41'", "loop", "True", "not_a", "0"])
    e = lambda: expression(draw, depth - 1 - draw.randrange(2))  # noqa: E731
    forms = [lambda: f"{e()} {draw.choice(['+', '-', '*', '/', '//', '%', '**', '~', '==', '!=', '<', '<=', '>', '>=', 'in', 'not in', 'and', 'or'])} {e()}",
             lambda: f"not {e()}", lambda: f"-{e()}", lambda: f"({e()})", lambda: f"({e()}, {e()})", lambda: f"({e()},)",
             lambda: f"[{e()}, {e()}]", lambda: f"[{e()},]", lambda: f"{{{e()}: {e()}}}", lambda: f"{{'a': {e()}, 'b': {e()},}}",
             lambda: f"{e()}.x", lambda: f"{e()}['k']", lambda: f"a[{e()}]", lambda: f"a[{e()}:{e()}]", lambda: f"a[::{e()}]", lambda: f"a[:{e()}:]",
             lambda: f"a[{e()}, {e()}]", lambda: f"f({e()})", lambda: f"f({e()}, k={e()})", lambda: f"f(*{e()}, **{e()})",
             lambda: f"f({e()}, {e()},)", lambda: f"{e()}|upper", lambda: f"{e()}|join({e()})", lambda: f"{e()}|tojson(indent=4)|trim",
             lambda: f"{e()} is defined", lambda: f"{e()} is not none", lambda: f"{e()} is divisibleby 3", lambda: f"{e()} is sameas({e()})",
             lambda: f"{e()} if {e()} else {e()}", lambda: f"{e()} if {e()}", lambda: f"{e()}.x.y()", lambda: f"a.0.b", lambda: f"{e()}.1"]
    return draw.choice(forms)()


def template(draw, depth=3):
    """A template, statements within statements."""
    e = lambda: expression(draw, draw.randrange(4))  # noqa: E731
    t = lambda: template(draw, depth - 1)  # noqa: E731
    o, c = draw.choice([("{%", "%}"), ("{%-", "-%}"), ("{%", "-%}"), ("{%+", "%}"), ("{%-", "+%}")])
    leaves = [lambda: "text ", lambda: f"{{{{ {e()} }}}}", lambda: f"{{{{- {e()} -}}}}", lambda: "{# comment #}", lambda: "{%raw%}{{ x {% endraw %}",
              lambda: f"{o} set a = {e()} {c}", lambda: f"{o} set a, b = {e()}, {e()} {c}", lambda: f"{o} set ns.a = {e()} {c}", lambda: "}} %} {",
              lambda: f"{{{{ {e()}, {e()} }}}}", lambda: f"{o} include {e()} {c}", lambda: f"{o} from 'x' import a as b, c with context {c}",
              lambda: f"{o} import 'x' as y {c}", lambda: f"{o} extends 'x' {c}", lambda: f"{o} include 'x' ignore missing without context {c}",
              lambda: f"{o} do {e()} {c}"]
    blocks = [lambda: f"{o} if {e()} {c}{t()}{o} endif {c}", lambda: f"{o} if {e()} {c}{t()}{o} elif {e()} {c}{t()}{o} else {c}{t()}{o} endif {c}",
              lambda: f"{o} for x in {e()} {c}{t()}{o} endfor {c}", lambda: f"{o} for k, v in {e()} if {e()} recursive {c}{t()}{o} else {c}{t()}{o} endfor {c}",
              lambda: f"{o} set a {c}{t()}{o} endset {c}", lambda: f"{o} set a|upper|trim {c}{t()}{o} endset {c}",
              lambda: f"{o} macro m(a, b=1) {c}{t()}{o} endmacro {c}", lambda: f"{o} call(u) m({e()}) {c}{t()}{o} endcall {c}",
              lambda: f"{o} filter upper|join('x') {c}{t()}{o} endfilter {c}", lambda: f"{o} with a = {e()}, b = {e()} {c}{t()}{o} endwith {c}",
              lambda: f"{o} for x in a {c}{o} break {c}{o} continue {c}{o} endfor {c}", lambda: f"{o} generation {c}{t()}{o} endgeneration {c}",
              lambda: f"{o} autoescape true {c}{t()}{o} endautoescape {c}"]
    return "".join(draw.choice(leaves if depth <= 0 or draw.random() < .6 else blocks)() for _ in range(draw.randrange(1, 4)))


def damaged(draw, text):
    """One small change, which may or may not make it something that is no template."""
    at = draw.randrange(len(text) + 1)
    what = draw.randrange(4)
    if what == 0:
        return text[:at] + text[at + 1:]
    if what == 1:
        return text[:at] + draw.choice("()[]{}%|.,:'\"=~ -+#xif1") + text[at:]
    if what == 2:
        return text[:at]
    return text[:at] + draw.choice(["{% endif %}", "{% else %}", "{{", "%}", " if ", " is ", "not ", "{#", "{% raw %}", " recursive "]) + text[at:]


def generated(n, seed):
    draw = random.Random(seed)
    made = [template(draw) for _ in range(n)]
    return [damaged(draw, t) if i % 2 and t else t for i, t in enumerate(made)]
