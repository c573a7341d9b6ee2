# Fit a mixture of linear experts by flexmix or mixtools and write what was learned.
# Usage: Rscript peers.R {flexmix|mixtools} rows.csv K seed answer.csv
given <- commandArgs(trailingOnly = TRUE)
library(given[1], character.only = TRUE)
rows <- read.csv(given[2])
K <- as.integer(given[3])
set.seed(as.integer(given[4]))
features <- setdiff(names(rows), "y")

with_flexmix <- function() {
  lines <- as.formula(paste("y ~", paste(features, collapse = "+")))
  gate <- FLXPmultinom(as.formula(paste("~", paste(features, collapse = "+"))))
  fit <- flexmix(lines, data = rows, k = K, concomitant = gate,
                 control = list(iter.max = 1000, minprior = 0))
  experts <- parameters(fit)
  list(line = experts[seq_len(nrow(experts) - 1), ], sigma = experts[nrow(experts), ],
       gate = parameters(fit, which = "concomitant"))
}

with_mixtools <- function() {
  fit <- regmixEM(rows$y, as.matrix(rows[features]), k = K, maxit = 1000)
  # Its weights are the same for all rows.
  gate <- rbind(log(fit$lambda), matrix(0, length(features), K))
  list(line = fit$beta, sigma = fit$sigma, gate = gate)
}

learn <- get(paste0("with_", given[1]))
time <- system.time(invisible(capture.output(fit <- learn())))
seconds <- rep(sum(time[c("user.self", "sys.self")]), ncol(fit$line))
# One row a number, one column an expert: intercept and slopes, sigma, gate, CPU seconds.
write.table(rbind(fit$line, fit$sigma, fit$gate, seconds), given[5], sep = ",",
            row.names = FALSE, col.names = FALSE)
