# From raw parallel text to a table of BLEU.
#
#   make -f pipeline.mk help
#
# Targets are files, a folder is a stage, and a folder counts as made when its manifest.json is there. What a stage was
# told and its revision lie in runs/RUN/parameters/, in files that are rewritten only when their content changes: a
# changed flag reruns the stages that read it and those that follow, nothing else, and so does a program that gives
# other bytes. Stages that were stopped go on from their checkpoint.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.SUFFIXES:
.SECONDEXPANSION:
MAKEFLAGS += --no-builtin-rules --no-print-directory

# Goals whose defaults hold: those given, or that which `why` asks about.
GOALS := $(or $(WHY_GOAL),$(MAKECMDGOALS))
# Those that make scores of RUN and a report of them; each has defaults of its own.
RUN_GOALS := all paper attentionless pareto greedy stepwise lengths

# ---- Settings ---------------------------------------------------------------------------------------------------------

# Defaults of single goals. Where MODES or SIZES are given, networks are made of them, else $1.
crossed = $(if $(MODES)$(SIZES),$(foreach m,$(or $(MODES),alr),$(foreach s,$(or $(SIZES),m),$m-$s)),$1)

ifneq (,$(filter paper,$(GOALS)))
MODES ?= alr alrr aslr elr
SIZES ?= xs s m l
ATTENTIONS ?= encoder decoder cross crossfull
LAYERS ?= 0 1 2 3 4 5
else ifneq (,$(filter pareto,$(GOALS)))
NETWORKS ?= $(call crossed,mix-l mix-m mix-s slots-l alr-xs)
INPLACE ?= $(EVERYWHERE)
BEAMS ?= 1 4
else ifneq (,$(filter attentionless,$(GOALS)))
NETWORKS ?= $(call crossed,mix-l slots-l alr-xs)
INPLACE ?= $(filter mix-%,$(EVERYWHERE))
BEAMS ?= 1 4
else ifneq (,$(filter greedy,$(GOALS)))
NETWORKS ?= $(call crossed,mix-s mix-m mix-l)
MODELS ?=
else ifneq (,$(filter stepwise,$(GOALS)))
NETWORKS ?= $(call crossed,mix-l)
MODELS ?= $(EVERYWHERE)
LAYERS ?= 0 1 2 3 4 5
else ifneq (,$(filter lengths,$(GOALS)))
NETWORKS ?= $(call crossed,mix-l slots-l alr-xs)
MODELS ?= $(EVERYWHERE)
INPLACE ?= $(filter mix-%,$(EVERYWHERE))
TEXTS ?= 1 2 4 8
endif
# Goals that measure a run of lengths must not make its texts anew.
ifneq (,$(or $(filter lengths,$(GOALS)),$(and $(filter bench bench-peers search why,$(GOALS)),$(findstring .lengths,$(RUN)))))
text_flags := --join 8 --max-tokens 200
START ?= $(filter-out $(RUN),$(CORPUS).$(PAIR))
endif

# Defaults of all.

# Corpus: phrasebook, multi30k, tatoeba, iwslt2017, or a name of your own: its files in TOKENIZE_FLAGS, and in CORPUS_FILES for make.
CORPUS ?= phrasebook
# Languages, from-to.
PAIR ?= en-de
phrasebook_preset := small
# Settings of the teacher: brief (18 epochs, by Muon), small (40 by Adam, a little better; of the phrasebook 3) or paper.
PRESET ?= $(or $($(CORPUS)_preset),brief)
# The run whose teacher is trained further, in place of one from nothing; of the same vocabulary.
START ?=
# Folder under runs/.
RUN ?= $(CORPUS).$(PAIR)$(if $(filter lengths,$(GOALS) $(if $(filter why,$(GOALS)),$(GOAL))),.lengths)

phrasebook_networks := alr-s mix-l
# What is distilled: each of these, such as alr-m or mix-k32r64, at each of ATTENTIONS where its family may stand.
NETWORKS ?= $(call crossed,$(or $($(CORPUS)_networks),alr-m))
# Families and sizes that NETWORKS are made of, if it is not given.
MODES ?=
SIZES ?=
# At which attentions: encoder, decoder, cross, crossfull.
ATTENTIONS ?= encoder decoder cross
# Layers that ALR (size M, or its first) also replaces one at a time, as in LAYERS="0 5"; for stepwise, all that the teacher has.
LAYERS ?=
# The phrasebook's story is told to its end, unless another goal has its own.
phrasebook_inplace = $(if $(filter paper greedy stepwise,$(GOALS)),,$(filter mix-l.%,$(EVERYWHERE)))
# Models that are trained in place as well, each a list of specs joined by +.
INPLACE ?= $($(CORPUS)_inplace)
# Seeds; several make runs RUN.seed-N side by side.
SEEDS ?=
# Widths of the beam, each giving a score of its own.
BEAMS ?= 1
# What products of translation are made of, float32, int8 or mixed (networks in int8), each giving a score of its own.
PRECISIONS ?= float32
# The models to score beside the teacher, each a list of specs joined by +.
MODELS ?= $(DEFAULT_MODELS)

# BLEU of the validation set that greedy may give away.
BOUND ?= 0.5
# Test sentences for which each score says which tokens the model reads, drawn in the report.
MAPS ?= 3
# Test sets of so many sentences joined into one, each giving a score of its own; empty: the test set as it is.
TEXTS ?=

# What is searched for a replacement: encoder, decoder or cross.
SEARCH_ATTENTION ?= cross
# The layer that stands for it.
SEARCH_LAYER ?= 4
# Families that are tried, some of mix slots alr.
SEARCH_FAMILIES ?= mix slots alr
# Trials in all, those of earlier searches counted.
SEARCH_TRIALS ?= 30

# Added to a stage's command. DISTILL_FLAGS_alr-m.encoder="..." is for that one distillation.
TOKENIZE_FLAGS ?=
TRAIN_FLAGS ?=
CAPTURE_FLAGS ?=
DISTILL_FLAGS ?=
INPLACE_FLAGS ?=
SCORE_FLAGS ?=
BENCH_FLAGS ?=
PEERS_FLAGS ?=
REPORT_FLAGS ?=

# Put before every stage's command, as in LAUNCH="srun --cpus-per-task=$(THREADS)".
LAUNCH ?=
# Processes, by MPI, that train a model together (hence a power of two) or distil the layers of a spec side by side.
PROCESSES ?= 1
# Put before train and distill in the place of LAUNCH, as in MPI_LAUNCH="srun --mpi=pmix -K -n 4"; mpirun where PROCESSES are several.
MPI_LAUNCH ?= $(if $(ALONE),$(LAUNCH),mpirun -n $(PROCESSES) --bind-to none)
# Threads of each stage: the cores divided by the N of make -jN.
THREADS ?= $(shell echo $$(( $(CORES) > $(JOBS) ? $(CORES) / $(JOBS) : 1 )))
# 1 keeps captured activations, which otherwise go when the distillations that read them are done.
KEEP ?=
# What why asks about: a folder of RUN, such as distill/alr-m.encoder, or empty for all of GOAL.
TARGET ?=
GOAL ?= all
# 1 lets free delete what it lists.
YES ?=
# Suites of unit tests that sanitize runs.
SANITIZED ?= KernelsTests TensorsTests ModelsTests TrainingTests
# Where corpora are fetched from instead of the net, as in CORPUS_MIRROR=file:///data/corpora.
CORPUS_MIRROR ?=
# Registries whose runs merge-registries takes over.
REGISTRIES ?=
# Folder of the programs.
BIN ?= .build/release
# Folder of train and distill for several PROCESSES.
MPI_BIN ?= .build-mpi/release

# ---- Names ------------------------------------------------------------------------------------------------------------

R := runs/$(RUN)
# Quota and period of the control groups that make is in, of which the least holds, as the programs find it (Kernels/Cores.swift).
# Not all of these files are there: the shell must not end at the first that is not.
cgroup_root := /sys/fs/cgroup
cgroup_file := /proc/self/cgroup
group_limits = set +e; for kind in '' cpu cpu,cpuacct; do \
    at=$$(sed -n "s/^[0-9]*:$$kind://p" $(cgroup_file)); \
    while :; do \
      folder=$(cgroup_root)/$$kind/$$at; \
      cat $$folder/cpu.max; paste -d ' ' $$folder/cpu.cfs_quota_us $$folder/cpu.cfs_period_us; \
      case $$at in ''|/) break;; esac; at=$${at%/*}; \
    done; \
  done 2> /dev/null
CORES := $(shell { nproc; $(group_limits); } | awk 'NR == 1 { n = $$1 } NR > 1 && $$1 + 0 > 0 && $$2 + 0 > 0 { q = int(($$1 + $$2 - 1) / $$2); if (q < n) n = q } \
  END { print n }')
JOBS = $(or $(patsubst -j%,%,$(filter -j%,$(MAKEFLAGS))),$(if $(filter -j,$(MAKEFLAGS)),$(CORES),1))
BUILT := $(if $(filter .build/release,$(BIN)),.build/release.stamp)
ALONE := $(filter 1,$(PROCESSES))
MPI_BUILT := $(BUILT) $(if $(ALONE),,$(if $(filter .build-mpi/release,$(MPI_BIN)),.build-mpi/release.stamp))

# ---- Checks -----------------------------------------------------------------------------------------------------------
# Of every name and choice, before anything runs: a word that nothing reads would otherwise be found out after hours, or never.

letters := a b c d e f g h i j k l m n o p q r s t u v w x y z A B C D E F G H I J K L M N O P Q R S T U V W X Y Z
digits := 0 1 2 3 4 5 6 7 8 9
# $1 without any of the characters $2.
without = $(if $2,$(call without,$(subst $(firstword $2),,$1),$(wordlist 2,$(words $2),$2)),$1)
# Whether $1 is one word of the characters $2.
consists = $(if $(subst x$1x,,x$(firstword $1)x),,$(if $1,$(if $(call without,$1,$2),,yes)))
# Folders are made and deleted under these names.
is_name = $(if $(filter . .. -%,$1),,$(call consists,$1,$(letters) $(digits) . _ - +))
require_name = $(if $(call is_name,$($1)),,$(error $1: expected a name of letters, digits and . _ - + that is not . or .. and does not begin with -, found '$($1)'))
require_known = $(foreach v,$(filter-out $2,$($1)),$(error $1: expected some of: $(subst h%,h and a width,$2); found '$v'))
require_numbers = $(foreach v,$($1),$(if $(call consists,$v,$(digits)),,$(error $1: expected numbers, found '$v')))

$(foreach v,RUN CORPUS PAIR $(if $(START),START),$(call require_name,$v))
$(if $(word 2,$(filter $(RUN_GOALS),$(GOALS))),$(error expected one of these goals at a time, since \
	each has defaults of its own; found '$(GOALS)'))
$(if $(filter why,$(GOALS)),$(call require_known,GOAL,$(RUN_GOALS)))
$(if $(word 2,$(SEEDS)),$(if $(filter search bench bench-peers,$(GOALS)),$(error SEEDS: expected one at most for $(filter search bench \
	bench-peers,$(GOALS)), found '$(SEEDS)')))
$(if $(filter $(RUN),$(START)),$(error START: expected another run than RUN, found '$(START)' for both))
KNOWN_ATTENTIONS := encoder decoder cross crossfull
$(call require_known,ATTENTIONS,$(KNOWN_ATTENTIONS))
$(call require_known,PRESET,small brief paper)
$(call require_known,PRECISIONS,float32 int8 mixed)
$(call require_known,PROCESSES,1 2 4 8 16 32 64 128 256 512 1024)
$(call require_known,SEARCH_ATTENTION,encoder decoder cross)
$(call require_known,SEARCH_FAMILIES,mix slots alr)
$(if $(SEARCH_FAMILIES),,$(error SEARCH_FAMILIES: expected some of: mix slots alr; found none))
require_once = $(if $(filter $(words $($1)),$(words $(sort $($1)))),,$(error $1: expected each word once, found '$($1)'))
$(foreach v,NETWORKS MODES SIZES ATTENTIONS LAYERS MODELS INPLACE SEEDS BEAMS PRECISIONS TEXTS SEARCH_FAMILIES,\
	$(call require_once,$v))
$(foreach v,PRESET PROCESSES MAPS BOUND SEARCH_ATTENTION SEARCH_LAYER SEARCH_TRIALS,$(if $(filter 1,$(words $($v))),,$(error $v: expected one value, found '$($v)')))
$(if $(call consists,$(subst .,,$(BOUND)),$(digits)),,$(error BOUND: expected a number, found '$(BOUND)'))
# $1 from $2 to $3, as the programs take it.
in_range = $(shell awk -v v='$1' 'BEGIN { if (v ~ /^([0-9]+[.]?[0-9]*|[.][0-9]+)$$/ && v >= $2 && v <= $3) print "yes" }')
require_range = $(foreach v,$($1),$(if $(call in_range,$v,$2,$3),,$(error $1: expected numbers from $2 to $3, found '$v')))
$(foreach v,LAYERS SEEDS MAPS TEXTS SEARCH_LAYER SEARCH_TRIALS,$(call require_numbers,$v))
$(call require_range,BOUND,0,100)$(call require_range,MAPS,0,1000)$(call require_range,TEXTS,1,1000)
$(if $(call without,$(SEARCH_TRIALS),0),,$(error SEARCH_TRIALS: expected a number from 1 on, found '$(SEARCH_TRIALS)'))
$(foreach v,$(filter-out $(shell seq 64),$(BEAMS)),$(error BEAMS: expected numbers from 1 to 64, found '$v'))

# A corpus that is known by name has some languages and no others.
pairs.phrasebook := en-de de-en en-fr fr-en de-fr fr-de
pairs.multi30k := $(pairs.phrasebook)
pairs.tatoeba := en-fr fr-en
pairs.iwslt2017 := en-de de-en en-fr fr-en
ifneq (,$(filter-out help build test test-cluster test-search check lint torture sanitize sanitize/% docs deps deps-mpi clean table report \
  results-docs verify merge-registries free why,$(or $(GOALS),all)))
$(if $(pairs.$(CORPUS)),$(call require_known,PAIR,$(pairs.$(CORPUS))))
$(if $(word 2,$(subst -, ,$(PAIR))),,$(error PAIR: expected two languages, as in en-de, found '$(PAIR)'))
# The files of a corpus of one's own are in flags that are RUN's alone.
$(if $(START),$(if $(pairs.$(CORPUS))$(wildcard runs/$(START)/train/manifest.json),,$(error START: expected a run of '$(CORPUS)' with a \
	teacher, found no runs/$(START)/train; START= is for a teacher from nothing)))
endif

# Names given on the command line that nothing reads.
settings := CORES JOBS SWIFT SWIFT_FLAGS CORPUS_FILES $(shell sed -nE '/^# -+ Names/q; s/^([A-Z_]+) \?=.*/\1/p' $(firstword $(MAKEFILE_LIST)))
given := $(foreach v,$(.VARIABLES),$(if $(filter command%,$(subst command line,command,$(origin $v))),$v))
$(foreach v,$(filter-out $(settings) DISTILL_FLAGS_% -%,$(given)),$(error $v: no setting of this name; make -f pipeline.mk help lists them))

# Settings that a goal has of its own.
own.phrasebook := CORPUS
own.smoke := CORPUS RUN NETWORKS INPLACE TOKENIZE_FLAGS MAPS TRAIN_FLAGS DISTILL_FLAGS INPLACE_FLAGS
$(foreach g,$(filter phrasebook smoke,$(GOALS)),$(foreach v,$(filter $(own.$g),$(given)),$(error $v: goal $g has its own; make -f \
	pipeline.mk all takes any)))

# What the programs say of themselves: FAMILIES, of each its span and attentions, and of each stage its revision. Only
# goals that make what the stages make need it; make starts anew when it has been written.
ifneq (,$(filter $(RUN_GOALS) search phrasebook smoke bench bench-peers $(R)/% release/% seed/%,$(or $(GOALS),all)))
include runs/programs.mk
$(if $(filter $(BIN),$(programs_bin)),,$(eval PROGRAMS_DOUBTED := yes))
endif
# What is written there may be of these programs before they were built anew: before anybody is refused by it, it is
# written again, with which make starts anew.
families_error = $(if $(MAKE_RESTARTS),$(error $1),$(eval PROGRAMS_DOUBTED := yes))
require_family = $(foreach v,$(filter-out $2,$($1)),$(call families_error,$1: expected some of: $2; found '$v'))

# The family of network or spec $1.
family = $(firstword $(subst -, ,$1))
# The specs alr-m.encoder for networks $1 at ATTENTIONS, without those that do not exist.
specs = $(foreach n,$1,$(foreach a,$(filter $(attentions.$(call family,$n)),$(ATTENTIONS)),$n.$a))
# The parts $2 of network $1 that are in ATTENTIONS, joined by +.
space := $(subst ,, )
join_parts = $(subst $(space),+,$(strip $(foreach a,$(filter $(ATTENTIONS),$2),$1.$a)))

# Networks that can stand in the decoder too, and what each is at all three attentions.
ANYWHERE = $(foreach n,$(NETWORKS),$(if $(filter decoder,$(attentions.$(call family,$n))),$n))
EVERYWHERE = $(foreach n,$(ANYWHERE),$(call join_parts,$n,encoder decoder cross))
ALR = $(filter alr-%,$(NETWORKS))
JOINED = $(sort $(foreach n,$(ANYWHERE),$(call join_parts,$n,encoder decoder)) $(EVERYWHERE))
DEFAULT_MODELS = $(call specs,$(NETWORKS)) $(filter-out $(call specs,$(NETWORKS)),$(JOINED)) \
	$(foreach l,$(LAYERS),$(addsuffix .$l,$(call specs,$(firstword $(filter alr-m,$(ALR)) $(ALR)))))

# Where families are known, whoever names one that is not is told so before anything runs.
comma := ,
require_network = $(if $(filter $(FAMILIES:=-%),$1),,$(call families_error,$2: expected one of $(FAMILIES:=-) and a size$(comma) found '$1'))
$(if $(FAMILIES),$(call require_family,MODES,$(FAMILIES))$(foreach n,$(NETWORKS),$(call require_network,$n,NETWORKS)))
$(if $(FAMILIES),$(foreach v,MODELS INPLACE,$(foreach m,$($v),$(foreach s,$(subst +, ,$m),$(call require_network,$s,$v)\
	$(if $(filter $(KNOWN_ATTENTIONS),$(word 2,$(subst ., ,$s))),,$(call families_error,$v: expected specs such as alr-m.encoder joined by +$(comma) found '$m'))))))

# One layer alone is taken out of a distillation of all layers, if there is to be one: its network is the same.
parts = $(subst +, ,$1)
SPLICED = $(sort $(MODELS) $(INPLACE))
# What greedy chooses from.
OFFERED := $(if $(filter greedy,$(GOALS)),$(call specs,$(NETWORKS)))
whole = $(if $(word 3,$(subst ., ,$1)),$(firstword $(filter $(basename $1),$(foreach m,$(SPLICED),$(call parts,$m)))))
single = $(if $(findstring +,$1),,$(call whole,$1))
distillations = $(or $(call single,$1),$(call parts,$1))
DISTILLED := $(sort $(foreach m,$(SPLICED),$(call distillations,$m)) $(OFFERED))
# How a size is written is the family's own matter, and no two networks stand at one place.
$(if $(and $(FAMILIES),$(DISTILLED)),$(foreach problem,$(subst $(space),_,$(shell $(BIN)/distill --check $(sort $(DISTILLED) $(SPLICED)) 2>&1 | head -n 1)),\
	$(call families_error,$(subst _, ,$(problem)))))
# alr-m.encoder.3 learns from capture heads.encoder.
capture_of = $(span.$(call family,$1)).$(patsubst crossfull,cross,$(word 2,$(subst ., ,$1)))
# The first family of span $1.
of_span = $(firstword $(foreach f,$(FAMILIES),$(if $(filter $1,$(span.$f)),$f)))
SEARCH_PLACE := $(SEARCH_ATTENTION).$(SEARCH_LAYER)
SEARCH_CAPTURE := heads.$(SEARCH_ATTENTION)
CAPTURES := $(sort $(foreach s,$(DISTILLED),$(call capture_of,$s)) $(if $(filter search,$(GOALS)),$(SEARCH_CAPTURE)))

# The folders $2 of stage $1.
manifests = $(patsubst %,$(R)/$1/%/manifest.json,$2)
# What a score's name says of its beam $1, precision $2 and joined sentences $3.
variant = $(if $(filter 1,$1),,.beam-$1)$(if $(filter float32,$2),,.$2)$(if $(filter none,$3),,.joined-$3)
TEXT_SETS := $(or $(TEXTS),none)
# Models that are scored, but for the teacher, and the folder of each under R.
SCORED = $(MODELS) $(addsuffix .inplace,$(INPLACE)) $(if $(OFFERED),greedy) $(addsuffix .stepwise,$(STEPWISE))
model_folder = $(or $(patsubst %.inplace,inplace/%,$(filter %.inplace,$1)),$(addprefix splice/,$(last_step.$1)),splice/$1)
SCORES = $(foreach b,$(BEAMS),$(foreach p,$(PRECISIONS),$(foreach t,$(TEXT_SETS),\
	$(call manifests,score,$(addsuffix $(call variant,$b,$p,$t),teacher $(SCORED))))))

# Layer after layer: the networks of a step, such as mix-l.encoder.0, learn from a model in which those of all earlier steps stand.
STEPWISE := $(if $(filter stepwise,$(GOALS)),$(ANYWHERE))
steps = $(foreach l,$(LAYERS),$(filter $(addsuffix %,$(ATTENTIONS)),encoder.$l)) \
	$(foreach l,$(LAYERS),$(filter $(addsuffix %,$(ATTENTIONS)),decoder.$l cross.$l))
define chain
last_step.$1.stepwise :=
$(foreach s,$(steps),$$(eval before.$1.$s.stepwise := $$(last_step.$1.stepwise))$$(eval last_step.$1.stepwise := $1.$s.stepwise))
endef
$(foreach n,$(STEPWISE),$(eval $(call chain,$n)))
$(if $(STEPWISE),$(if $(strip $(steps)),,$(error LAYERS and ATTENTIONS: expected a layer and an attention at least, found '$(LAYERS)', '$(ATTENTIONS)')))
STEPS := $(foreach n,$(STEPWISE),$(foreach s,$(steps),$n.$s.stepwise))
# Flags of their own are for what is distilled.
flagged = $(DISTILLED) $(STEPS:.stepwise=)
$(if $(FAMILIES),$(foreach v,$(filter-out $(flagged:%=DISTILL_FLAGS_%),$(filter DISTILL_FLAGS_%,$(given))),$(call families_error,$v: nothing is \
	distilled as $(v:DISTILL_FLAGS_%=%); found $(flagged))))

# After all that may doubt it. Of programs that are not built here nobody says when they have changed: they are asked
# each time.
runs/programs.mk: $(if $(WHY_GOAL),,$(BUILT)) $(if $(PROGRAMS_DOUBTED)$(if $(BUILT)$(MAKE_RESTARTS),,yes),FORCE)
	@mkdir -p $(@D); new=$@.$$$$; trap 'rm -f $$new' EXIT; { $(BIN)/distill --families | \
	  awk '{ names = names " " $$1; print "span." $$1 " := " $$2; gsub(",", " ", $$3); print "attentions." $$1 " := " $$3 } \
	  END { print "FAMILIES :=" names }'; echo 'programs_bin := $(BIN)'; \
	  for stage in tokenize train capture distill splice score; do version=$$($(BIN)/$$stage --version); \
	  echo "revision.$$stage := $${version##*.}"; done; } > $$new; \
	if cmp -s $$new $@; then touch $@; else mv $$new $@; fi

# ---- Goals ------------------------------------------------------------------------------------------------------------

.DEFAULT_GOAL := all
.PHONY: all paper attentionless pareto greedy stepwise lengths phrasebook smoke search table report results-docs \
	corpus curl bench bench-peers build test check lint torture sanitize docs deps clean verify free why test-cluster test-search \
	merge-registries deps-mpi parameters help \
  FORCE $(addprefix release/,$(CAPTURES))

all: ## Teacher, distilled replacements, spliced models and their scores, with the table at the end (default)
paper: ## The paper's experiments: all its families, sizes and attentions, and one layer at a time
attentionless: ## All attentions replaced by networks smaller than they are, before and after training in place, beside ALR-XS
pareto: ## The same with networks of several sizes, all of them trained in place: BLEU against parameters
greedy: ## Attentions replaced place by place, by the smallest of NETWORKS, while BLEU stays within BOUND
stepwise: ## NETWORKS distilled layer after layer, each on what those before it say, beside all at once
lengths: ## Teacher and NETWORKS that have learnt from texts of 1 to 8 sentences, on texts of TEXTS sentences
ifeq (,$(word 2,$(SEEDS)))
$(RUN_GOALS): $(SCORES) $(addprefix release/,$(CAPTURES))
	@$(show_table)
	@$(make_report)
else
$(RUN_GOALS): $(addprefix seed/,$(SEEDS))
	@$(show_table)
	@$(make_report)
$(addprefix seed/,$(SEEDS)): seed/%: $$(STARTING) $$(CORPUS_FILES) | $(MPI_BUILT)
	$(MAKE) -f pipeline.mk $(filter $(RUN_GOALS),$(GOALS)) SEEDS=$* RUN=$(RUN).seed-$* CORES=$(THREADS) JOBS=1
endif

phrasebook: ## The default goal on the corpus that comes with the project
	$(MAKE) -f pipeline.mk all CORPUS=phrasebook

smoke: ## Every stage for a few steps, as RUN=smoke: the smallest run from end to end
	$(MAKE) -f pipeline.mk all CORPUS=phrasebook RUN=smoke NETWORKS="alr-xs mix-xs" INPLACE=mix-xs.encoder+mix-xs.decoder+mix-xs.cross \
	  TOKENIZE_FLAGS="--vocabulary-size 1000 --hold-out-valid 200 --hold-out-test 200" MAPS=2 \
	  TRAIN_FLAGS="--max-steps 300" DISTILL_FLAGS="--epochs 1" INPLACE_FLAGS="--max-steps 60"

search: $(R)/search/$(SEARCH_PLACE).json ## Networks that explain an attention with few parameters, by Bayesian search
	@cat $(<:.json=.md)

table: | $(BUILT) ## Print the scores of RUN, or of its SEEDS together
	@$(show_table)

report: | deps $(BUILT) ## Make a page of figures and tables of RUN, or of its SEEDS together, and print its path
	@$(make_report)

results-docs: | deps $(BUILT) ## Write the results of RUN into the documentation: tables into Results.md, figures beside it
	@$(BIN)/report $(report_runs) --docs Sources/Stages/Documentation.docc $(REPORT_FLAGS)

corpus: $$(CORPUS_FILES) ## Fetch the files of CORPUS

bench: $(R)/tokens/manifest.json | $(BUILT) ## Measure this machine and the programs on it, on the sentences of CORPUS
	$(LAUNCH) $(BIN)/bench --tokens $(R)/tokens $(BENCH_FLAGS) --output $(R)/bench --threads $(all_cores)

bench-peers: $(R)/tokens/manifest.json runs/peers-venv/installed | $(BUILT) ## PyTorch and CTranslate2 at the same work, alternating with ours
	$(LAUNCH) runs/peers-venv/bin/python Tests/peers/compare.py --bin $(BIN) --tokens $(R)/tokens \
	  --threads $(all_cores) --json $(R)/peers.json $(PEERS_FLAGS)

runs/peers-venv/installed: Tests/peers/requirements.txt
runs/%-venv/installed:
	@python3 -c 'import ensurepip, venv' 2> /dev/null || { $(call install,python3-venv); }
	python3 -m venv $(@D)
	$(@D)/bin/pip install --quiet --requirement $<
	touch $@

build: $(BUILT) ## Compile the programs

test: $(if $(BUILT),deps) ## Unit tests, the logic of this file with stand-ins for the programs, and the programs from end to end
	$(SWIFT) build --build-tests $(SWIFT_FLAGS)
	$(SWIFT) test --skip-build $(SWIFT_FLAGS)
	python3 -B Tests/search/search_test.py
	Tests/pipeline.test.sh
	Tests/programs.test.sh
	Tests/revisions.test.sh

check: build ## A quick round while one works: layout, unit tests, the logic of this file
	$(MAKE) -f pipeline.mk lint
	$(SWIFT) build --build-tests $(SWIFT_FLAGS)
	$(SWIFT) test --skip-build $(SWIFT_FLAGS)
	Tests/pipeline.test.sh

lint: ## Hold the layout of Swift and C to .swift-format and .clang-format
	@command -v clang-format > /dev/null || { $(call install,clang-format); }
	$(SWIFT) format lint --strict --recursive --parallel --configuration .swift-format Package.swift Sources Tests
	clang-format --dry-run --Werror $$(find Sources/C* Tests/C* -name '*.[ch]' -o -name '*.cpp')
	@! LC_ALL=C.UTF-8 grep -rnE '^.{121}' Sources --include='*.swift' --include='*.[ch]' # more than 120 columns
	@! LC_ALL=C.UTF-8 grep -rnE '^ *//.{119}' Tests --include='*.swift' --include='*.[ch]' --exclude-dir=Golden

test-cluster: $(if $(BUILT),build) .build-mpi/release.stamp ## Training and distillation in several processes, by mpirun and under a Slurm of one node (as root)
	Tests/cluster.test.sh $(BIN) $(MPI_BIN)
	Tests/slurm.test.sh $(BIN) $(MPI_BIN) || [ $$? = 77 ] # which needs root

test-search: build ## The search with Optuna itself, on the smoke run
	[ -f runs/smoke/train/manifest.json ] || $(MAKE) -f pipeline.mk smoke
	Tests/search.test.sh $(BIN)

torture: build ## Kills, crashes, failing calls, limits, damage, over all stages; PARTS=, KILLS= and so on in the environment
	@command -v strace > /dev/null || { $(call install,strace); }
	$(SWIFT) build --build-tests $(SWIFT_FLAGS)
	Tests/torture.sh $(BIN)

# Undefined behaviour is looked for in what is C; its checks are part of the address sanitizer's library. XCTest leaks.
sanitize.address := --sanitize=address -Xcc -fsanitize=undefined -Xcc -fno-sanitize-recover=undefined
sanitize.thread := --sanitize=thread
sanitize: sanitize/address sanitize/thread ## Unit tests of SANITIZED under the sanitizers of addresses, undefined behaviour and threads
sanitize/%: deps
	SUITES="$(SANITIZED)" $(SWIFT) build --build-tests $(SWIFT_FLAGS) $(sanitize.$*) --scratch-path .build-$*
	SUITES="$(SANITIZED)" ASAN_OPTIONS=detect_leaks=0 $(SWIFT) test --skip-build $(SWIFT_FLAGS) $(sanitize.$*) --scratch-path .build-$* \
	  $(SANITIZED:%=--filter '^%\.')

# The plug-in compiles with all traits, as the build with MPI does: in the programs' own folder it would undo theirs.
docs: | deps-mpi ## The articles as web pages, in .build/docs; a warning is an error
	$(SWIFT) package $(SWIFT_FLAGS) $(mpi_flags) --allow-writing-to-directory .build/docs \
	  generate-documentation --target Stages \
	  --exclude-extended-types --warnings-as-errors --disable-indexing --transform-for-static-hosting --output-path .build/docs

# Test sets of TEXTS lie beside RUN.
with_joined = $(foreach r,$(R) $(if $(word 2,$(SEEDS)),$(SEEDS:%=$(R).seed-%)),$(wildcard $r $r.joined-[0-9]*))

# A stage marks its folder: by a manifest when it has finished, by a lock as soon as it has begun.
clean: ## Delete what the stages made for RUN; corpora, history and programs stay, and what is not of the stages
	@$(if $(with_joined),,echo 'nothing in $(R)';)for run in $(with_joined); do \
	  find -H $$run -type f \( -name .lock -o -name manifest.json \) | while read -r mark; do \
	    if [ "$${mark##*/}" = .lock ] || grep -qs '"stage"' "$$mark"; then \
	      folder=$$(dirname "$$mark"); [ -d "$$folder" ] || continue; \
	      ! $(call is_locked,"$$folder/.lock") || { echo "$$folder is being written to" >&2; continue; }; \
	      echo "rm -rf $$folder"; rm -rf "$$folder"; fi; \
	  done; \
	  if $(call is_locked,$$run/search/study.sqlite.lock); then echo "$$run/search is being written to" >&2; \
	  else rm -rf $$run/search; fi; \
	  rm -rf $$run/parameters; find -H $$run -depth -type d -empty -delete; \
	  [ ! -d $$run ] || { echo 'left, since no stage has made it, or is making it:'; find -H $$run -mindepth 1 -maxdepth 1; }; done

is_locked = { [ -e $1 ] && ! flock --nonblock $1 true; }

verify: | deps ## Compare every file that RUN's stages have published with the SHA-256 in its manifest
	@$(if $(with_joined),,$(error RUN: expected a run that there is, found no $(R)))bad=0 count=0; while read -r manifest; do count=$$((count + 1)); \
	  sqlite3 :memory: "SELECT json_extract(value, '$$.sha256') || '  ' || key FROM json_each(readfile('$$manifest'), '$$.files')" | \
	    (cd "$$(dirname "$$manifest")" && sha256sum --check --quiet --strict) || { echo "$$(dirname "$$manifest"): not what was published" >&2; bad=1; }; \
	done < <(find -H $(with_joined) -name manifest.json -not -path '*/.unfinished/*'); \
	[ $$count -gt 0 ] || { echo 'RUN: expected something published, found no manifest in $(R)' >&2; exit 1; }; exit $$bad

# Make itself is asked, with a copy of the parameters in which those that changed are newer; nothing is made.
ifneq (,$(word 2,$(SEEDS)))
why:
	@$(foreach s,$(SEEDS),$(MAKE) -f pipeline.mk why SEEDS=$s RUN=$(RUN).seed-$s;)
else
why: ## What GOAL or TARGET would make again, and which input or setting changed
	@new=$$(mktemp -d); trap 'rm -rf "$$new" "$$new.trace"' EXIT; [ ! -d $(R)/parameters ] || cp -a $(R)/parameters/. "$$new"; \
	export WHY_GOAL=$(GOAL) WHY_PARAMETERS="$$new"; \
	$(MAKE) -f pipeline.mk parameters; \
	LC_ALL=C WHY_FROZEN=1 $(MAKE) -f pipeline.mk -n --trace $(if $(TARGET),$(R)/$(TARGET)/manifest.json,$(GOAL)) > "$$new.trace" || exit; \
	sed -nE "s#.*update target '([^']*)/manifest.json' due to: (.*)#\1 \2#p" "$$new.trace" | sort -u | while read -r folder reasons; do \
	    [ -f "$$folder/manifest.json" ] || { echo "$$folder: not made yet"; continue; }; \
	    for reason in $$reasons; do case $$reason in \
	      "$$new"/*) echo "$$folder: other settings"; name=$${reason#"$$new"/}; \
	        [ ! -f "$(R)/parameters/$$name" ] || sed 's/^/  - /' "$(R)/parameters/$$name"; sed 's/^/  + /' "$$reason" ;; \
	      *) [ "$$reason" -nt "$$folder/manifest.json" ] && since='was made since' || since='would be made again'; \
	        echo "$$folder: $${reason%/manifest.json} $$since" ;; \
	    esac; done; done | { grep . || echo 'nothing would be made again'; }
endif

merge-registries: | $(BUILT) ## Take over the runs of other registries, REGISTRIES="a.sqlite b.sqlite"; twice is once
	$(BIN)/report --registry runs/registry.sqlite \
	  --merge $(or $(REGISTRIES),$(error REGISTRIES: expected files to merge, as in REGISTRIES="a.sqlite b.sqlite"))

# What is half deleted does not count as made, and is still known for a stage's.
drop = rm -f $1/manifest.json; [ ! -d $1 ] || { find $1 -mindepth 1 ! -name .lock -delete && rm -rf $1; }

free: | $(BUILT) ## List captures that no run needs any more; YES=1 deletes them
	@[ ! -f runs/registry.sqlite ] || $(BIN)/report --reclaimable | while IFS='|' read -r path mib; do \
	  [ -f "runs/$$path/manifest.json" ] || continue; \
	  for lock in "runs/$$path/.lock" $$(grep -lsxF "runs/$$path" runs/*/search/study.sqlite.lock); do \
	    ! $(call is_locked,"$$lock") || { echo "runs/$$path is in use"; continue 2; }; done; \
	  echo "runs/$$path  $$mib MiB"; $(if $(filter 1,$(YES)),$(call drop,"runs/$$path"),:); \
	done

help: ## This list
	@sed -nE 's/^([a-z-]+):.*## (.*)/\1\t\2/p' pipeline.mk | awk -F'\t' '{ printf "  %-16s %s\n", $$1, $$2 }'
	@echo
	@echo 'Settings, given as NAME=value:'
	@awk '/^# ---- Names/ { exit } /^# / && !/----/ { text = substr($$0, 3) } \
	  /^[A-Z_]+ \?=/ { if (text) printf "  %-16s %s\n", $$1, text } /^$$/ { text = "" }' pipeline.mk

# Debian's packages $1, by whoever may install them.
install = sudo=$$([ $$(id -u) = 0 ] || echo sudo); for need in apt-get $$sudo; do command -v $$need > /dev/null || { \
    echo "missing, and no $$need to install them: $1" >&2; exit 1; }; done; set -x; \
  $$sudo apt-get update --quiet && $$sudo apt-get install --yes --quiet --no-install-recommends $1

# ---- Programs ---------------------------------------------------------------------------------------------------------

# Order-only everywhere: a recompiled program retrains nothing, if its revision is the same.
# What was changed while it was compiled is newer than the stamp. Another make may be at it too.
begin = mkdir -p $(@D); begun=$$(mktemp $@.XXXXXX); trap 'rm -f "$$begun"' EXIT
sources := Package.swift $(shell find Sources -type f -not -path 'Sources/search/*' -not -path '*.docc/*' 2> /dev/null)
.build/release.stamp: $(sources) $(if $(wildcard .build/release/train),,FORCE) | deps
	@$(begin); (set -x; $(SWIFT) build $(SWIFT_FLAGS)); mv $$begun $@

mpi_flags := --scratch-path .build-mpi --traits MPI
# Only train and distill work in several processes. Tests/cluster.test.sh makes sure that they come to the same bytes.
.build-mpi/release.stamp: $(sources) $(if $(wildcard .build-mpi/release/train),,FORCE) | deps-mpi
	@$(begin); for program in train distill; do (set -x; $(SWIFT) build $(SWIFT_FLAGS) $(mpi_flags) --product $$program); done; mv $$begun $@

deps-mpi: deps
	@pkg-config --exists ompi-c 2> /dev/null && command -v mpirun > /dev/null || { \
	  $(call install,libopenmpi-dev openmpi-bin); }

# Programs and tests are one build, with fast kernels for both. Package.swift says what is optimised: not the libraries.
SWIFT := swift
SWIFT_FLAGS := -c release -Xswiftc -Onone

PACKAGES := libsqlite3-dev libopenblas-dev libsentencepiece-dev zlib1g-dev libzip-dev libexpat1-dev libssl-dev pkg-config sqlite3 curl gnuplot-nox python3
deps: ## Install the system's packages that are missing (Debian, Ubuntu)
	@pkg-config --exists sqlite3 openblas sentencepiece zlib libzip expat libcrypto 2> /dev/null && command -v sqlite3 > /dev/null && command -v curl > /dev/null \
	  && command -v gnuplot > /dev/null && command -v python3 > /dev/null || { \
	  $(call install,$(PACKAGES)); }

# ---- Corpora ----------------------------------------------------------------------------------------------------------

CORPORA := runs/corpora
FROM := $(firstword $(subst -, ,$(PAIR)))
TO := $(lastword $(subst -, ,$(PAIR)))
# The address of folder $1 of the mirror, or $2.
address = $(if $(CORPUS_MIRROR),$(CORPUS_MIRROR)/$1,$2)

# Before any file is fetched, since apt works once at a time.
curl:
	@command -v curl > /dev/null || { $(call install,curl); }

# Puts address $1 into the target, if its content is what it was when this was written.
define fetch
	mkdir -p $(@D)
	new=$@.$$$$; trap 'rm -f $$new' EXIT; curl --fail --location --silent --show-error --retry 3 --output $$new $(1); \
	  echo "$(or $(sha256.$(@:$(CORPORA)/%=%)),no known SHA-256 for)  $$new" | sha256sum --check --quiet; mv $$new $@
endef

# Image captions, 29,000 pairs. Elliott et al. 2016, 2017.
multi30k_files = $(foreach s,train val test_2016_flickr,$(foreach l,$(FROM) $(TO),$(CORPORA)/multi30k/$s.$l.gz))
multi30k_text = $(foreach s,train:train valid:val test:test_2016_flickr,\
	$(foreach l,source:$(FROM) target:$(TO),\
	--$(word 1,$(subst :, ,$s))-$(word 1,$(subst :, ,$l)) $(CORPORA)/multi30k/$(word 2,$(subst :, ,$s)).$(word 2,$(subst :, ,$l)).gz))
$(CORPORA)/multi30k/%.gz: | curl
	$(call fetch,$(call address,multi30k,https://raw.githubusercontent.com/multi30k/dataset/HEAD/data/task1/raw)/$*.gz)
sha256.multi30k/train.en.gz := d79cfa999dd4c51d2cb42499b6796d5a882c3a8a961923c25a898c90f8bbd56f
sha256.multi30k/train.de.gz := 726e39b2fa9eb9ffb6dc763fb35a179f80fae06ffc5d28b6ace5faa883de28a6
sha256.multi30k/train.fr.gz := 622e75069e9f4c577425c4f277116ce66e63a2401c0a2312d90073cb12379a3c
sha256.multi30k/val.en.gz := 14f7d25ddd868909a9213e361768460edcacdd6ab9d1e77b92560dc10c10dc28
sha256.multi30k/val.de.gz := f0cba2f995189cf5770f29a8a9a537a3ad3f51657ad873405082ff6863a5e75a
sha256.multi30k/val.fr.gz := ca3106f1a72390591d25f6c45cb4cd39dec4cd3f123e099748a3ce5256c160e9
sha256.multi30k/test_2016_flickr.en.gz := 611d361c6334bc7246101d48097c13cf5c4413c5befc793cc629934359d532d9
sha256.multi30k/test_2016_flickr.de.gz := 9204244e408ccb38d2a55cfcd344df15005fc42a07a6e55ca6c52b6ababb8cc8
sha256.multi30k/test_2016_flickr.fr.gz := 6d326e188d259fb1d04ac19eae3af956559b3a0b93d7635e56c90987c40c8b90

# Sentences of tatoeba.org, English and French, 142,787 pairs. CC BY 2.0 FR.
tatoeba_files = $(CORPORA)/tatoeba/fra-eng.zip
tatoeba_text = --tsv $(tatoeba_files) $(if $(filter fr,$(FROM)),--source-column 2 --target-column 1)
$(CORPORA)/tatoeba/%.zip: | curl
	$(call fetch,$(call address,tatoeba,https://www.manythings.org/anki)/$*.zip)
sha256.tatoeba/fra-eng.zip := 16c4f7d0df9e7c5e6c54cdb0447f3f4a18a55052ff5e2e0b27dd4a06c0e49d04

# TED talks of IWSLT 2017, about 206,000 pairs. The archives of training hold the test sets up to 2015; those of 2016 and 2017 were
# shipped later, source sides only, so that both directions are needed. Cettolo et al. 2012, 2017; CC BY-NC-ND.
iwslt2017_files = $(CORPORA)/iwslt17-train/$(PAIR).tgz $(foreach p,$(FROM)-$(TO) $(TO)-$(FROM),$(CORPORA)/iwslt17-test/$p.tgz)
iwslt2017_text = $(addprefix --iwslt ,$(iwslt2017_files))
archive = $(subst -,/,$1)/$1.tgz
$(CORPORA)/iwslt17-train/%.tgz: | curl
	$(call fetch,$(or $(and $(CORPUS_MIRROR),$(CORPUS_MIRROR)/iwslt17-train/$*.tgz),\
	  https://huggingface.co/datasets/IWSLT/iwslt2017/resolve/ebd7c60d9800c2a1be010a227e5f0a2363730f7a/data/2017-01-trnted/texts/$(call archive,$*)))
$(CORPORA)/iwslt17-test/%.tgz: | curl
	$(call fetch,$(or $(and $(CORPUS_MIRROR),$(CORPUS_MIRROR)/iwslt17-test/$*.tgz),\
	  https://raw.githubusercontent.com/hlt-mt/WIT3/HEAD/archive/2017-01-ted-test/texts/$(call archive,$*)))
sha256.iwslt17-train/de-en.tgz := ebcd53c53c8df742437e3a0fb964772e78764c3f6d4e38df0b6a2f71abc3a8b4
sha256.iwslt17-train/en-de.tgz := 623caec69988b224dbe741f16ad90411b93430117a8021c4bb2bcab7ad1eb21e
sha256.iwslt17-train/en-fr.tgz := 1f5bd8cd242de15fb58a04af265adb8e604a7e1b805a42cb0de7dfd15447c5c6
sha256.iwslt17-train/fr-en.tgz := a40ca3b9a0064bd1fd582df4ced260dd3e7ff9f6f7bf863f139f74b7a5cabd78
sha256.iwslt17-test/de-en.tgz := b0034e3c957da26eaf3c573390c3fc669d509ea94c0b398889ad74bddadb4974
sha256.iwslt17-test/en-de.tgz := 0c786a6905618af716da365592594473481ba9548a922506aaf6c17f1aee27e4
sha256.iwslt17-test/en-fr.tgz := 755b1061ff258686d8c906525dc75035304b292320d59e5a78802b2923c204ad
sha256.iwslt17-test/fr-en.tgz := 8393e55847ba750290180f1fb62684abb8c09b890c52d4ebc5c2376e8e722e93

phrasebook_files = $(wildcard data/phrasebook/*.tsv)
CORPUS_FILES = $($(CORPUS)_files)

# ---- Parameters -------------------------------------------------------------------------------------------------------

SEED_FLAG := $(addprefix --seed ,$(firstword $(SEEDS)))
tokenize_parameters = $(strip --corpus $(CORPUS) --pair $(PAIR) $($(CORPUS)_text) $(call unless_given,$(text_flags),$(TOKENIZE_FLAGS)) $(TOKENIZE_FLAGS))
# Of pairs of option and value, those whose option is not among the flags $2: programs take each option once.
unless_given = $(strip $(if $1,$(if $(filter $(firstword $1) $(firstword $1)=%,$2),,$(wordlist 1,2,$1)) \
	$(call unless_given,$(wordlist 3,$(words $1),$1),$2)))
# The phrasebook is a small language without exceptions: it is learnt long before the epochs of a preset are over, and
# soonest in many small steps and without dropout.
phrasebook_train = $(if $(filter small brief,$(PRESET)),--epochs 3 --batch-tokens 500 --dropout 0 --peak 2.5e-3 --warmup 300)
# Whoever changes a flag here wants the stage made again: an unfinished one of other settings is discarded, and says so.
again = $(if $(KEEPS_UNFINISHED),,--discard-checkpoint)
share_flags = $(if $(ALONE),, $(call unless_given,--shares $(PROCESSES),$1))
start_train = $(if $(START),--epochs 10)
train_parameters = $(if $(START),--model runs/$(START)/train )--preset $(PRESET)$(call share_flags,$(TRAIN_FLAGS)) \
	$(call unless_given,$(or $($(CORPUS)_train),$(start_train)),$(TRAIN_FLAGS)) $(SEED_FLAG) $(TRAIN_FLAGS)
# heads.encoder
capture_parameters = --families $(call of_span,$(basename $1)) --attentions $(subst .,,$(suffix $1)) $(CAPTURE_FLAGS)
phrasebook_distill = --epochs 3
distill_flags = $(DISTILL_FLAGS) $(DISTILL_FLAGS_$1)
distill_parameters = --spec $1 $(call unless_given,$(call $(CORPUS)_distill,$1),$(distill_flags)) $(SEED_FLAG) $(distill_flags)
search_parameters = --attention $(SEARCH_ATTENTION) --layer $(SEARCH_LAYER) --families $(SEARCH_FAMILIES) \
	--trials $(SEARCH_TRIALS) $(SEED_FLAG)
# A text can be translated in many ways, and a teacher keeps to one; the phrasebook's references do so already.
phrasebook_inplace_flags = --epochs 1 --batch-tokens 1000
inplace_parameters = $(SEED_FLAG)$(call share_flags,$(INPLACE_FLAGS)) \
	$(call unless_given,$(or $($(CORPUS)_inplace_flags),--teacher-beam 4),$(INPLACE_FLAGS)) $(INPLACE_FLAGS)
score_parameters = $(call unless_given,$(if $(filter-out 0,$(MAPS)),--maps $(MAPS)),$(SCORE_FLAGS)) $(SCORE_FLAGS)
greedy_parameters = --greedy --bound $(BOUND) $(foreach s,$(OFFERED),--replacement $(R)/distill/$s)

# A file that is only touched when its text changes. $1: stages, whose results of other revisions do not count;
# $2: their settings
quote = '$(subst ','\'',$(strip $1))'
remembered = $2$(if $1, (revision: $(foreach s,$1,$s $(revision.$s))))
define remember
	@mkdir -p $(@D)
	@[ -f $@ ] && [ "$$(cat $@)" = $(call quote,$(remembered)) ] || printf '%s\n' $(call quote,$(remembered)) > $@
endef

# `why` has a copy, which it brings up to date first.
P := $(or $(WHY_PARAMETERS),$(R)/parameters)
ALWAYS := $(if $(WHY_FROZEN),,FORCE)
$(P)/tokenize: $(ALWAYS)
	$(call remember,tokenize,$(tokenize_parameters))
$(P)/train: $(ALWAYS)
	$(call remember,train,$(train_parameters))
$(addprefix $(P)/capture/,$(CAPTURES)): $(P)/capture/%: $(ALWAYS)
	$(call remember,capture,$(call capture_parameters,$*))
$(addprefix $(P)/distill/,$(DISTILLED)): $(P)/distill/%: $(ALWAYS)
	$(call remember,distill,$(call distill_parameters,$*))
# Trials are compared by what they explain: those of another revision of distill count too.
$(P)/search/$(SEARCH_PLACE): $(ALWAYS)
	$(call remember,,$(search_parameters))
$(P)/inplace: $(ALWAYS)
	$(call remember,train,$(inplace_parameters))
$(P)/score: $(ALWAYS)
	$(call remember,score,$(score_parameters))
$(P)/greedy: $(ALWAYS)
	$(call remember,splice,$(greedy_parameters))
$(addprefix $(P)/distill/,$(STEPS)): $(P)/distill/%.stepwise: $(ALWAYS)
	$(call remember,capture distill splice,$(call distill_parameters,$*) $(call step_capture,$*.stepwise) --model $(call so_far,$*.stepwise))
$(STEPWISE:%=$(P)/last/%.stepwise): $(P)/last/%: $(ALWAYS)
	$(call remember,,$(last_step.$*))
$(addprefix $(P)/splice/,$(SPLICED)): $(P)/splice/%: $(ALWAYS)
	$(call remember,splice,$(call distillations,$*))
$(addprefix $(P)/tokenize.joined-,$(TEXTS)): $(P)/tokenize.joined-%: $(ALWAYS)
	$(call remember,tokenize,$(tokenize_parameters) --join-test $*)
parameters: $(addprefix $(P)/,tokenize train inplace score $(if $(OFFERED),greedy) $(CAPTURES:%=capture/%) $(DISTILLED:%=distill/%) \
	$(STEPS:%=distill/%) $(STEPWISE:%=last/%.stepwise) $(SPLICED:%=splice/%) $(TEXTS:%=tokenize.joined-%))
	@:

# ---- Stages -----------------------------------------------------------------------------------------------------------

TOKENS := $(R)/tokens/manifest.json
TEACHER := $(R)/train/manifest.json
stage = $(LAUNCH) $(BIN)/$1
# Processes of one machine divide the cores that a stage has; a launcher says itself what each of them has.
mpi_stage = $(MPI_LAUNCH) $(if $(ALONE),$(BIN),$(MPI_BIN))/$1
divided = $(if $(filter file,$(origin THREADS)),$(if $(filter file,$(origin MPI_LAUNCH)),--threads \
  $(shell echo $$(( $1 > $(PROCESSES) ? $1 / $(PROCESSES) : 1 )))),--threads $(THREADS))
output = --output $(@D) --threads $(THREADS)
# Nothing of a run that takes long can be at work while its text is tokenized or its teacher trained: these get all cores.
all_cores = $(if $(filter file,$(origin THREADS)),$(CORES),$(THREADS))
alone = --output $(@D) --threads $(all_cores)
mpi_output = $(if $(ALONE),$(output),--output $(@D) $(call divided,$(THREADS)))
mpi_alone = $(if $(ALONE),$(alone),--output $(@D) $(call divided,$(CORES)))

$(TOKENS): $(P)/tokenize $$(CORPUS_FILES) | $(BUILT)
	$(call stage,tokenize) $(tokenize_parameters) $(alone)

STARTING := $(if $(START),runs/$(START)/train/manifest.json)
$(TEACHER): $(P)/train $(TOKENS) $(STARTING) | $(MPI_BUILT)
	$(call mpi_stage,train) --tokens $(R)/tokens $(train_parameters) $(again) $(mpi_alone)

# A teacher that is there is taken as it is. What was given for RUN, as texts to join, is not for this one; nor is one
# that has been begun with settings of its own thrown away.
$(STARTING): | $(BUILT) $$(CORPUS_FILES)
	MAKEFLAGS="$${MAKEFLAGS%%-- *}" KEEPS_UNFINISHED=1 $(MAKE) -f pipeline.mk $@ RUN=$(START) START= SEEDS= \
	  CORPUS=$(CORPUS) PAIR=$(PAIR) PRESET=$(PRESET) TOKENIZE_FLAGS= TRAIN_FLAGS= CORES=$(CORES) JOBS=$(JOBS)

# A capture that is gone is only made again for a distillation that has to run, and is no reason for any to run.
.SECONDARY: $(call manifests,capture,$(CAPTURES))
$(call manifests,capture,$(CAPTURES)): $(R)/capture/%/manifest.json: $(P)/capture/% $(TEACHER) | $(BUILT)
	$(call stage,capture) --model $(R)/train --tokens $(R)/tokens $(call capture_parameters,$*) $(output)

$(call manifests,distill,$(DISTILLED)): $(R)/distill/%/manifest.json: $(P)/distill/% $$(P)/capture/$$(call capture_of,$$*) $(TEACHER) \
		| $$(call manifests,capture,$$(call capture_of,$$*)) $(MPI_BUILT)
	$(call mpi_stage,distill) --capture $(R)/capture/$(call capture_of,$*) $(call distill_parameters,$*) $(again) $(mpi_output)

# When everything that learns from a capture is done, unless a distillation of another make, or of a search, reads it now.
# Nobody's lock is taken to find out.
drop_unused = for lock in $(R)/distill/*$(suffix $1)*/.lock $(R)/search/study.sqlite.lock; do \
	  case $$lock in *.stepwise/.lock) continue ;; *.sqlite.lock) grep -qsxF '$1' $$lock || continue ;; esac; \
	  [ ! -f $$lock ] || ! grep -q ":$$(stat -c %i $$lock) " /proc/locks || { lock=$${lock%.lock}; echo "$1 stays: $${lock%/} reads it"; exit 0; }; \
	done; $(call drop,$1)
$(addprefix release/,$(CAPTURES)): release/%: \
		$$(foreach s,$$(DISTILLED),$$(if $$(filter $$*,$$(call capture_of,$$s)),$$(call manifests,distill,$$s)))
	@$(if $(filter 1,$(KEEP)),:,$(call drop_unused,$(R)/capture/$*))

# Of a model: the networks that stand in it, and the layer, where it is taken out of a distillation of all.
spliced = $(foreach s,$(call distillations,$1),--replacement $(R)/distill/$s) \
	$(if $(call single,$1),--layers $(subst .,,$(suffix $1)))
$(call manifests,splice,$(SPLICED)): $(R)/splice/%/manifest.json: $(P)/splice/% $(TEACHER) $$(call manifests,distill,$$(call distillations,$$*)) | $(BUILT)
	$(call stage,splice) --model $(R)/train $(call spliced,$*) $(output)

$(call manifests,inplace,$(INPLACE)): $(R)/inplace/%/manifest.json: $(P)/inplace $(R)/splice/%/manifest.json $(TEACHER) $(TOKENS) | $(MPI_BUILT)
	$(call mpi_stage,train) --tokens $(R)/tokens --model $(R)/splice/$* --teacher $(R)/train $(inplace_parameters) $(again) $(mpi_output)

$(R)/splice/greedy/manifest.json: $(P)/greedy $(TEACHER) $(TOKENS) $(call manifests,distill,$(OFFERED)) | $(BUILT)
	$(call stage,splice) --model $(R)/train --tokens $(R)/tokens $(greedy_parameters) $(output)

# A step: the model so far, what its next attention does, a network for it, the model with it.
so_far = $(or $(addprefix $(R)/splice/,$(before.$1)),$(R)/train)
step_capture = $(call capture_parameters,$(call capture_of,$1)) --layers $(lastword $(subst ., ,$(1:.stepwise=)))
.SECONDARY: $(call manifests,capture,$(STEPS))
$(call manifests,capture,$(STEPS)): $(R)/capture/%/manifest.json: $(P)/distill/% $$(call so_far,$$*)/manifest.json $(TOKENS) | $(BUILT)
	$(call stage,capture) --model $(call so_far,$*) --tokens $(R)/tokens $(call step_capture,$*) $(output)
$(call manifests,distill,$(STEPS)): $(R)/distill/%/manifest.json: $(P)/distill/% $$(call so_far,$$*)/manifest.json \
		| $(R)/capture/%/manifest.json $(BUILT)
	$(call stage,distill) --capture $(R)/capture/$* $(call distill_parameters,$(*:.stepwise=)) $(again) $(output)
	$(if $(filter 1,$(KEEP)),,$(call drop,$(R)/capture/$*))
$(call manifests,splice,$(STEPS)): $(R)/splice/%/manifest.json: $$(call so_far,$$*)/manifest.json $(R)/distill/%/manifest.json | $(BUILT)
	$(call stage,splice) --model $(call so_far,$*) --replacement $(R)/distill/$* $(output)

# Test sets of joined sentences, in the vocabularies of the run.
$(foreach t,$(TEXTS),$(R).joined-$t/tokens/manifest.json): $(R).joined-%/tokens/manifest.json: $(P)/tokenize.joined-% $$(CORPUS_FILES) | $(BUILT)
	$(call stage,tokenize) $(tokenize_parameters) --join-test $* $(output)

# $1: beam width, $2: precision, $3: joined sentences
text_tokens = $(R)$(if $(filter none,$1),,.joined-$1)/tokens
define score_rules
$(call manifests,score,teacher$(call variant,$1,$2,$3)): $(P)/score $(TEACHER) $(call text_tokens,$3)/manifest.json | $(BUILT)
	$$(call stage,score) --model $(R)/train --tokens $(call text_tokens,$3) --beam $1 --precision $2 $$(score_parameters) $$(output)
$(call manifests,score,$(addsuffix $(call variant,$1,$2,$3),$(SCORED))): $(R)/score/%$(call variant,$1,$2,$3)/manifest.json: \
  $(P)/score $$$$(if $$$$(last_step.$$$$*),$(P)/last/$$$$*) $(R)/$$$$(call model_folder,$$$$*)/manifest.json \
  $(call manifests,score,teacher$(call variant,$1,$2,$3)) | $(BUILT)
	$$(call stage,score) --model $(R)/$$(call model_folder,$$*) --tokens $(call text_tokens,$3) --beam $1 --precision $2 $$(score_parameters) \
	  --base $(R)/score/teacher$(call variant,$1,$2,$3) $$(output)
endef
$(foreach b,$(BEAMS),$(foreach p,$(PRECISIONS),$(foreach t,$(TEXT_SETS),$(eval $(call score_rules,$b,$p,$t)))))

# Stages leave a manifest whole or not at all: one that is there when make is interrupted, or a later line fails, is
# good.
.PRECIOUS: $(TOKENS) $(TEACHER) $(STARTING) $(foreach s,capture distill splice,$(call manifests,$s,$(STEPS))) \
	$(call manifests,capture,$(CAPTURES)) $(call manifests,distill,$(DISTILLED)) \
	$(call manifests,splice,$(SPLICED) greedy) $(call manifests,inplace,$(INPLACE)) \
	$(foreach t,$(TEXTS),$(R).joined-$t/tokens/manifest.json) $(SCORES)

# ---- Search -----------------------------------------------------------------------------------------------------------

# Trials are distillations of this run like others. The study lies beside the result and is gone on with.
$(R)/search/$(SEARCH_PLACE).json: $(P)/search/$(SEARCH_PLACE) $(P)/capture/$(SEARCH_CAPTURE) $(TEACHER) \
		| $(R)/capture/$(SEARCH_CAPTURE)/manifest.json runs/search-venv/installed $(BUILT)
	runs/search-venv/bin/python -B Sources/search/search.py --distill $(call quote,$(call stage,distill)) \
	  --capture $(R)/capture/$(SEARCH_CAPTURE) $(search_parameters) --study $(@D)/study.sqlite \
	  --runs $(R)/distill/search.$(SEARCH_PLACE) --registry runs/registry.sqlite --threads $(THREADS) --output $@
	@$(if $(filter 1,$(KEEP))$(filter $(RUN_GOALS),$(GOALS)),:,$(call drop_unused,$(R)/capture/$(SEARCH_CAPTURE)))

$(if $(filter search,$(GOALS)),$(addprefix release/,$(SEARCH_CAPTURE))): search

runs/search-venv/installed: Sources/search/requirements.txt

# ---- Results ----------------------------------------------------------------------------------------------------------

# Several seeds are runs of their own, and one result.
report_runs = $(addprefix --run ,$(if $(word 2,$(SEEDS)),$(SEEDS:%=$(RUN).seed-%),$(RUN)))
show_table = [ ! -f runs/registry.sqlite ] || $(BIN)/report $(report_runs) --table
make_report = $(BIN)/report $(report_runs) --output $(R)/report $(REPORT_FLAGS)
